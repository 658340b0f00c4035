"""`hearth route`: where a user goes, first to last choice, and why."""

from gateway.commands.route.command import add_to

__all__ = ["add_to"]
