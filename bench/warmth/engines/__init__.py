"""`python -m bench.warmth.engines [--write DOCS]`: the comparison on real engines.

Three `llama-server` with a small real model, behind a running gateway. The conversations are those
of the demo's sample users, with answers fixed beforehand, so that every strategy sends exactly the
same prompts; what was cached and how long a prompt took is what the engine says of itself.
"""
