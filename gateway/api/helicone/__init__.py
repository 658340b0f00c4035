"""Helicone's user queries: docs.helicone.ai/rest/user."""
