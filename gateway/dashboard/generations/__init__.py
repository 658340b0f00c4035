"""The log of all calls, and each of them."""
