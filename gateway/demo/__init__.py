"""`hearth demo`: the same sample users with and without sticky routing, side by side.

run                       users talk, and the screen follows
traffic, phrases          who says what
worlds, score             the two gateways, and what they counted
screen                    what is printed
"""
