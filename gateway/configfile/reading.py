"""A tree of plain values as configuration records, checked against the records' own types."""

import difflib
import math
from collections.abc import Iterable
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
from msgspec import UNSET, inspect

from gateway.config import Section
from gateway.configfile.problem import Finding
from gateway.configfile.yamltree import KeyPath


class Reading:
    """One walk down a tree beside the types it should have.

    `findings` is what is wrong; `records` holds every mapping by its path, where a faulty value is
    left at its default, or UNSET when it has none.
    """

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.records: dict[KeyPath, Section] = {}

    def read(self, value: object, kind: Any, path: KeyPath) -> Any:
        """`value` as a `kind`, or UNSET with the reason among the findings."""
        if value is UNSET:
            return UNSET  # a fault of the text, known already
        for option in _alternatives(kind):
            if isinstance(value, dict) and isinstance(option, type) and issubclass(option, Section):
                return self._section(value, option, path)
            if isinstance(value, dict) and get_origin(option) is dict:
                return self._mapping(value, get_args(option)[1], path)
            if isinstance(value, list) and value and get_origin(option) is tuple:
                return self._list(value, get_args(option)[0], path)
        return self._single(value, kind, path)

    def _section(self, tree: dict[str, object], section: type[Section], path: KeyPath) -> Any:
        fields = {field.name: field for field in msgspec.structs.fields(section)}
        for name in tree:
            if name not in fields:
                self.findings.append(((*path, name), _expected_key(name, fields)))
        values: dict[str, Any] = {}
        for name, field in fields.items():
            if field.required and name not in tree:
                self.findings.append(((*path, name), "Expected this key, it has no default"))
            value = self.read(tree.get(name, UNSET), field.type, (*path, name))
            if field.required or value is not UNSET:
                values[name] = value
        self.records[path] = section(**values)
        return self.records[path]

    def _mapping(self, tree: dict[str, object], kind: Any, path: KeyPath) -> dict[str, Any]:
        values = {key: self.read(value, kind, (*path, key)) for key, value in tree.items()}
        return {key: value for key, value in values.items() if value is not UNSET}

    def _list(self, tree: list[object], kind: Any, path: KeyPath) -> Any:
        values = [self.read(item, kind, (*path, index)) for index, item in enumerate(tree)]
        return UNSET if UNSET in values else tuple(values)

    def _single(self, value: object, kind: Any, path: KeyPath) -> Any:
        if isinstance(value, float) and not math.isfinite(value):
            self.findings.append((path, "Expected a finite number"))
            return UNSET
        try:
            return msgspec.convert(value, kind, dec_hook=_read_unit)
        except msgspec.ValidationError as error:
            self.findings.append((path, _expected_value(value, kind, str(error))))
            return UNSET


def _alternatives(kind: Any) -> list[Any]:
    """The types a value of `kind` may have, without their constraints."""
    if get_origin(kind) is Annotated:
        return _alternatives(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        return [option for part in get_args(kind) for option in _alternatives(part)]
    return [kind]


def _read_unit(unit: Any, value: object) -> Any:
    return unit.parse(value)


def _expected_key(name: str, known: Iterable[str]) -> str:
    meant = difflib.get_close_matches(name, known, n=1)
    if meant:
        return f"Expected a known key, perhaps `{meant[0]}`"
    return "Expected a known key: " + ", ".join(f"`{name}`" for name in known)


_NOUNS: dict[type, str] = {dict: "a mapping", list: "a list", type(None): "nothing"}
_UNQUOTED = (inspect.IntType, inspect.FloatType, inspect.BoolType)


def _expected_value(value: object, kind: Any, complaint: str) -> str:
    """What `kind` looks like, and what was found when that is of another sort."""
    info = inspect.type_info(kind)
    expected = complaint if isinstance(info, inspect.CustomType) else f"Expected {_describe(info)}"
    if isinstance(value, int | float) and str in _alternatives(kind):
        return f"{expected}: put it in quotes to make it one"
    if isinstance(value, str) and isinstance(info, _UNQUOTED):
        return f"{expected}, without quotes"
    found = _NOUNS.get(type(value))
    return f"{expected}, found {found}" if found and found not in expected else expected


def _describe(info: inspect.Type) -> str:
    match info:
        case inspect.Metadata(extra_json_schema={"description": str(description)}):
            return description
        case inspect.UnionType(types=types):
            named = [kind for kind in types if not isinstance(kind, inspect.NoneType)]
            return ", or ".join(map(_describe, named))
        case inspect.IntType(ge=low, le=high):
            return "a whole number" + _between(low, high)
        case inspect.FloatType(ge=low, le=high):
            return "a number" + _between(low, high)
        case inspect.LiteralType(values=values):
            return "one of " + ", ".join(f"`{value}`" for value in values)
        case inspect.BoolType():
            return "`true` or `false`"
        case inspect.StrType():
            return "a string"
        case inspect.VarTupleType(min_length=least):
            return "a list with at least one entry" if least else "a list"
    return "a mapping"


def _between(low: float | None, high: float | None) -> str:
    if low is None:
        return ""
    return f" of at least {low}" if high is None else f" from {low} to {high}"
