"""Everything kept of one end user.

traces                    where it is: in the store and in this machine's journal
holdings, dossier         how much of it there is, and all of it as lines to hand out
erasure                   all of it erased
"""
