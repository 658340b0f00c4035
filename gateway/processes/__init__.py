"""`hearth serve` as processes: one supervisor, and workers that share its port.

supervisor       the sockets, signals and reloads
shipping, turn   all journals brought to the store, by a thread that makes way for the workers
worker_pool      which worker stands in which place, and who takes the place of one that fell
hub              what the workers have to know of each other, passed on
pulse            whether the workers' event loops turn
worker           one event loop that answers requests
supervisor_link  what a worker hears of the others, and tells them
channel          what supervisor and worker say to each other
"""
