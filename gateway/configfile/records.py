"""A tree of plain values as configuration records, checked against the records' own types."""

import math
from typing import Any, get_args, get_origin

import msgspec
from msgspec import UNSET

from gateway.config import ONE_OR_MORE, Section
from gateway.configfile.expected import alternatives, expected_key, expected_value
from gateway.configfile.problem import Finding
from gateway.configfile.yamltree import KeyPath


class RecordReader:
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
        for option in alternatives(kind):
            if isinstance(value, dict) and isinstance(option, type) and issubclass(option, Section):
                return self._section(value, option, path)
            if isinstance(value, dict) and get_origin(option) is dict:
                return self._mapping(value, get_args(option)[1], path)
            if isinstance(value, list) and value and get_origin(option) is tuple:
                return self._list(value, get_args(option)[0], path)
        if value is not None and not isinstance(value, list) and (item := _item_of(kind)):
            one = self.read(value, item, path)
            return one if one is UNSET else (one,)
        return self._single(value, kind, path)

    def _section(self, tree: dict[str, object], section: type[Section], path: KeyPath) -> Any:
        fields = {field.name: field for field in msgspec.structs.fields(section)}
        for name in tree:
            if name not in fields:
                self.findings.append(((*path, name), expected_key(name, fields)))
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
            self.findings.append((path, expected_value(value, kind, str(error))))
            return UNSET


def _item_of(kind: Any) -> Any:
    """What is in a list that may be written without its brackets; None for any other type."""
    lists = [part for part in (kind, *get_args(kind)) if ONE_OR_MORE in get_args(part)]
    return get_args(alternatives(lists[0])[0])[0] if lists else None


def _read_unit(unit: Any, value: object) -> Any:
    return unit.parse(value)
