"""Every settled generation, counted once.

ledger                    the whole, as the rest of the gateway sees it
journal, segment, lock    written: one file after the other for each writer; losses counts the rest
backlog, shipper, keeper  brought to the store, in order, and forgotten when it is old
line, named, packing      a record in a journal, of versions before, and as stores keep it
parcel                    what stores are given of it
adds, tally               what one generation adds to the counts, and what some of them do
store, stores             what a store must do: in sqlite/, and in redis/ for several machines
queries, conditions       what it can be asked; paging: long answers, a page at a time
results, counts, spread   what it answers with
gathered, topn            answers put together in memory, or from the tops of many lists
lookup, fallback          answers while the store lags or is away
person/                   everything of one user: found, listed, handed out, erased
verify                    whether all counts agree
"""
