"""Every settled generation, counted once.

ledger                    what the rest of the gateway sees of it
recorder, journal,        writing: a turn's records at once, to one file after the other for each
segment, lock, losses     writer; counting those that could not be written
backlog, shipper, keeper  shipping to the store, in order, and expiry
line, named, packing      a record in a journal, in earlier versions, and in stores
parcel                    a record on its way to a store
increments, tally         what one generation adds to the counts, and what a batch does
store, opening            what a store must do, in sqlite/, and in redis/ for several machines;
                          opening the one that is configured
queries, conditions       what it can be asked; paging: long answers, a page at a time
results, counts, spread   what it answers with
memory_search, topn       answers computed in memory, or from the tops of many lists
lookup, fallback          reads while the store lags or is away
person/                   everything of one user: found, listed, exported, erased
verify                    whether all counts agree
"""
