"""The way of a model call, from a request that was read to a record that is settled.

proxy             the seven steps, in order
entry, ids        what is noted of a call while it is under way, and the id it goes by
rewrite           what is changed in a body before a provider gets it
relay, reply      a provider's answer passed on; what Hearth adds to it, or says instead
"""
