"""A mock provider: the APIs of a real one, its prompt cache and its failures, and no model.

running, provider         a provider on a port, and what it does with a request
settings, faults          what kind of provider it plays, and how it misbehaves
dialects/, exchange       the APIs it speaks, and what it is asked and answers in any of them
transcript, tokens,       what a model reads, what of it is cached, and what it says
promptcache, prose
delivery, sse, apierror   how answers are sent: whole, as events, as errors
"""
