"""Hearth beside its peers: the same load, the same mock provider, one core each.

`python -m bench` measures and prints; docs/benchmarks.md is what `--write docs` makes of it.
"""
