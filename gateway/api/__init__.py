"""What Hearth answers itself: a question is read, the store asked, the answer put into shape.

routes, operation         which address is whose, and what each takes and gives, for openapi/
openrouter/, helicone/    questions and answers of other people's making
models                    OpenAI's list of models
route, user_route, moves  where a user goes, and what a change would move
context, quota            what handlers work with, and how often a key may ask
query, json_body          parameters and bodies, read strictly
lag, requests             the store, and how far behind it is; single requests, so many and no more
timespan                  times cut into what is counted
answers, table            JSON and CSV
user_row, money           a user's counters, and money, as they are written
"""
