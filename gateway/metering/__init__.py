"""What an answer used, read while it passes.

meter, reading            which meter an answer gets, and what every meter finds out
answer, moderation        answers in one piece
stream, events, tally     streams: cut into events, and added up by chat, responses or messages
usage, estimate           tokens as the provider counts them, or as nobody came to count them
shapes, encoding          the fields that are read; answers that come compressed
fault, refusal, broken    what went wrong, who declined, and what a cut-off stream still says
"""
