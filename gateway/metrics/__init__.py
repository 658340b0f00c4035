"""What Hearth counts while it runs, for `/metrics`.

counters, users           one process counts its calls, and its end users where they are asked for
buckets, labels           the bounds of histograms; label values that nobody can make up
resources                 what a process takes of its machine
snapshot                  the counts of a moment, and those of several processes added
peers                     the processes of one gateway, and what they all count
exposition                the same for Prometheus
"""
