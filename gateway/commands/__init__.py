"""The commands of `hearth`, a module each, `route` a package.

dispatch                    which of them it is, and what becomes of their errors
arguments, person, shipper  what several of them take
output, stopping            what they write, and how those that run for ever end
"""
