"""The soak bench: an hour of all kinds of calls through `hearth serve`, and what memory it takes.

calls    what a client does: whole answers, streams, hanging up, large bodies, mistakes, questions
load     so many of them a second, each of a new user
memory   what each process holds, every few seconds
report   the table, and whether the second half of the run was flat
"""
