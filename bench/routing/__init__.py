"""What the ring does and costs, beside what it must: `python -m bench.routing`."""
