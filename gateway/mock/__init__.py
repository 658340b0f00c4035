"""A mock provider: the APIs of a real one, its prompt cache and its failures, and no model."""
