"""Generations as objects with named fields: for exports, and as earlier versions kept them."""

import msgspec

from gateway.generation import Attempt, Extras, Flag, Generation, Record, Usage


class NamedExtras(Extras, frozen=True, array_like=False, omit_defaults=True, gc=False):
    """See Extras."""


class NamedUsage(Usage, frozen=True, array_like=False, omit_defaults=True, gc=False):
    """See Usage."""

    extras: NamedExtras | None = None


class NamedAttempt(Attempt, frozen=True, array_like=False, omit_defaults=True, gc=False):
    """See Attempt."""


class NamedFlag(Flag, frozen=True, array_like=False, gc=False):
    """See Flag."""


class NamedGeneration(Generation, frozen=True, array_like=False, omit_defaults=True, gc=False):
    """See Generation."""

    usage: NamedUsage = NamedUsage()
    attempts: tuple[NamedAttempt, ...] = ()
    flags: tuple[NamedFlag, ...] = ()


class NamedRecord(Record, frozen=True, gc=False):
    """A journal line of an earlier version: an array that ends with an object."""

    generation: NamedGeneration


def named(generation: Generation) -> NamedGeneration:
    """With the names of its fields, without those that have their default."""
    return msgspec.convert(generation, NamedGeneration, from_attributes=True)


def unnamed(generation: NamedGeneration) -> Generation:
    """The reverse of `named`."""
    return msgspec.convert(generation, Generation, from_attributes=True)
