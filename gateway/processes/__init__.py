"""`hearth serve` as processes: one supervisor, and workers that share its port.

supervisor   the sockets, signals and reloads; ships the journals and probes the providers, once
crew         which worker stands in which place, and who takes the place of one that fell
board        what the workers have to know of each other, passed on
pulse        whether the workers' event loops turn
worker       one event loop that answers requests
channel      what supervisor and worker say to each other
"""
