"""`hearth serve` as processes: one supervisor, and workers that share its port.

supervisor       signals, reloads, and the order in which all the rest begins and ends
reload           the configuration's file, and what a change of it may touch
service_manager  what systemd is told
shared_sockets   the listening sockets, a set for each worker
shipping         ships all journals, on a shipping_thread that yields to the workers
worker_pool      which worker is in which slot, and the replacement of those that die
shares           each worker's part of what is limited for all of them together
worker_process   a worker as the supervisor sees it
hub              what workers have to know of each other
collector,       the snapshots of all processes; the counts of workers, also of those that are gone
totals
heartbeat        detects workers whose event loop hangs
worker           one event loop that answers requests
supervisor_link  a worker's side of the hub
channel          the messages between supervisor and worker
garbage, heap,   the garbage collector, the heap and the log, as all of these processes have
logs             them
"""
