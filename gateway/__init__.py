"""Hearth: a gateway in front of LLM providers that keeps every end user at home."""

__version__ = "0.1.0"
