"""The log of all calls, and a page for each generation: `log`, `generation`."""
