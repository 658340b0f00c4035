"""Every settled generation, counted once.

ledger                    the whole, as the rest of the gateway sees it
journal, segment, lock    written: one file after the other for each writer; losses counts the rest
backlog, shipper, keeper  brought to the store, in order, and forgotten when it is old
store, topn               what a store must do: in sqlite/, and in redis/ for several machines
lookup, reading           answers while the store lags or is away
traces, holdings,         everything of one user: found, listed, handed out, erased
dossier, erasure
verify                    whether all counts agree
"""
