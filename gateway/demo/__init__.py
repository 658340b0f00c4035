"""`hearth demo`: the same sample users with and without sticky routing, side by side."""
