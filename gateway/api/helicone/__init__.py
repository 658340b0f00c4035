"""Helicone's user queries: docs.helicone.ai/rest/user.

users                     the three questions, answered
records                   the bodies that come and go; histogram: of them, how users are spread
filters, operators,       what a question may narrow down by, and what that means of requests, and
fields                    of users
question, people          a filter as one question to the ledger, and the crowd that it means
"""
