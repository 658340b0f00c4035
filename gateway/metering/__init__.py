"""What an answer used, read while it passes.

meter                     which meter an answer gets
base, reading             what every meter does, and what it finds out
answer                    answers in one piece
stream, events            streams, and how they are cut into events
stream_state              what a stream's events add up to: those of chat, responses, messages
pattern                   events that only say something, without decoding each of them
usage, estimate           tokens as the provider counts them, or as nobody came to count them
extras, json_object       audio, images and searches; what a decoded object holds
shapes, encoding          the fields that are read; answers that come compressed
ending, fault, refusal,   why an answer ended, what went wrong, who declined, what was flagged
moderation
broken                    what a cut-off stream still says
"""
