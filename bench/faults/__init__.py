"""The fault bench: load through real gateways while Redis and the gateways themselves fail.

At the end, what the clients were told is compared with what the store counted.
"""
