"""`hearth serve` as processes: one supervisor, and workers that share its port.

supervisor       the sockets, signals and reloads
shipping         all journals brought to the store, by a shipping_thread that yields to the workers
worker_pool      which worker stands in which place, and who takes the place of one that died
hub, totals      what the workers have to know of each other; what all of them counted
heartbeat        whether the workers' event loops turn
worker           one event loop that answers requests
supervisor_link  what a worker learns from the others, and lets them know
channel          what supervisor and worker say to each other
"""
