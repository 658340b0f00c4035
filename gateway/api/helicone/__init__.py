"""Helicone's user queries: docs.helicone.ai/rest/user.

users                     the three endpoints
records, histogram        their bodies
filters, operators,       what a question may filter by: tests on requests, and on users
fields
question, user_search     a filter as one question, and as the ledger's search for it
"""
