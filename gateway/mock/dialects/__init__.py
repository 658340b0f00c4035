"""The APIs that a mock provider speaks: how each is read, and how each answers."""
