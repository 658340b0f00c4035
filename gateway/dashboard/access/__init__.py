"""Who may look.

login, session            signing in with a key, and staying signed in
attempts, origin          what keeps others out: who tries keys, and forms of other sites
"""
