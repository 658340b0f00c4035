"""The pages: what the API answers, for people. Rendered here, from the same records."""
