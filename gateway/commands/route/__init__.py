"""`hearth route`: where a user goes, first to last choice, and why.

command                   the arguments, and whom to ask
live, configured          the running gateway's answer, or that of the configuration alone
report                    what is printed
"""

from gateway.commands.route.command import add_to

__all__ = ["add_to"]
