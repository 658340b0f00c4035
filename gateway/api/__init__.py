"""What Hearth answers itself: a request is read, the store queried, the answer put into shape.

routes, operation         every route with its handler, and what it takes and gives, for openapi/
openrouter/, helicone/    endpoints that others designed
models                    OpenAI's list of models
route, user_route, moves  where a user goes, and what a change would move
context, quota            what handlers work with, and how often a key may ask
query, json_body          parameters and bodies, read strictly
ledger_view               the store, and how far behind it is
requests, days            single requests and daily rows of it, up to a limit
timespan                  times cut into whole days or hours
answers, table, accept    JSON and CSV, and which of them is asked for
user_row                  counters in tables, and a user's row of them
"""
