"""What it is worth to keep users at home: the same calls by several strategies, and what was warm.

`python -m bench.warmth` replays a workload through the gateway's routing in simulated time, and a
small one through a running gateway; `python -m bench.warmth.engines` asks real engines. The page
that comes of both is docs/warmth.md.
"""
