"""How large a ledger gets and how fast it answers: `python -m bench.sizes`."""
