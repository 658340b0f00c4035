"""All end users of a month, and each of them.

grid, month, spreads      everyone: who costs, who fails, who is flagged; how they are spread
user, parts, homes        one of them: what, by whom, and how often at home
personal                  all that is kept of one, handed out or erased
"""
