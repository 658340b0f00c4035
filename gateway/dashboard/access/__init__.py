"""Who may look: signing in with a key, sessions, and what keeps others from either."""
