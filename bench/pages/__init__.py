"""How long the pages take on a large ledger, and what they weigh: `python -m bench.pages`."""
