"""Where a call goes.

ring, load, ramp          who is at home where; who is too busy; who is back already
verdict, health, prober   what an answer, all answers and a probe say about a provider
health_state              what processes tell each other of that
provider, obstacle        a provider as it is now, and what keeps a user from it
pool, router              providers in a user's order; which of them serve a model
preferences, plan         what the client asked for; who may have a call
last_providers            who had a user's last call, so that a move is known to be one
explain, moves            the same in words, and what a change would move
"""
