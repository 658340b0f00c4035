"""`hearth serve` as processes: one supervisor, and workers that share its port.

supervisor       the sockets, signals and reloads
shipping         ships all journals, on a shipping_thread that yields to the workers
worker_pool      which worker is in which slot, and the replacement of those that die
worker_process   a worker as the supervisor sees it
hub              what workers have to know of each other
collector,       the snapshots of all processes; the counts of workers, also of those that are gone
totals
heartbeat        detects workers whose event loop hangs
worker           one event loop that answers requests
supervisor_link  a worker's side of the hub
channel          the messages between supervisor and worker
"""
