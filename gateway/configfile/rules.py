"""Rules that a configuration can break although every value is valid by itself."""

import os
import re
import ssl
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from ipaddress import ip_network
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from msgspec import UNSET

from gateway.config import (
    Ejection,
    Health,
    Key,
    Ledger,
    Moderation,
    Provider,
    Section,
    Server,
    Sticky,
    Timeouts,
    Tls,
    Tracing,
)
from gateway.configfile.problem import Finding, spell
from gateway.configfile.yamltree import KeyPath
from gateway.redisurl import Address, BadAddress
from gateway.sockets import is_loopback, tls_context

SectionT = TypeVar("SectionT", bound=Section)

_EXPOSED = (
    "Expected a loopback address such as `127.0.0.1`, as long as there are no `keys`: anyone on "
    "the network could spend the providers' credit"
)

_MAX_POINTS = 4_000_000
"""On the ring: these take a worker some five seconds to make."""

_LARGE_RING = (
    f"Expected weights whose sum times `sticky.points` is at most {_MAX_POINTS:,}, such as 5, 3 "
    "and 2 instead of 500, 300 and 200"
)


def broken_rules(records: Mapping[KeyPath, Section], tree: Any) -> Iterator[Finding]:
    """Every broken rule; `records` are the mappings read, `tree` is what was written."""
    keys, providers = _each(records, Key), _each(records, Provider)
    yield from _repeated([((*path, "name"), key.name) for path, key in keys])
    yield from _repeated([((*path, "name"), provider.name) for path, provider in providers])
    yield from _broken_secrets(keys, tree)
    for path, provider in providers:
        yield from _broken_base_url(path, provider)
        yield from _broken_models(path, provider)
        yield from _broken_headers(path, provider.headers)
    for path, tracing in _each(records, Tracing):
        yield from _broken_headers(path, tracing.headers)
    for path, ledger in _each(records, Ledger):
        yield from _broken_ledger_url(path, ledger.url)
    names = {provider.name for _, provider in providers}
    for path, moderation in _each(records, Moderation):
        chosen: Any = moderation.provider
        if chosen is not UNSET and chosen not in names:
            yield (*path, "provider"), "Expected the name of one of the `providers`"
    yield from _broken_durations(records)
    sticky = [section for _, section in _each(records, Sticky)] or [Sticky()]
    weights = [provider.weight for _, provider in providers]
    if sum(weights) * sticky[0].points > _MAX_POINTS:
        yield ("providers",), _LARGE_RING
    if weights and not any(weights) and len(weights) == len(tree["providers"]):
        yield ("providers",), "Expected at least one provider with a weight above 0"
    for path, server in _each(records, Server):
        yield from _broken_networks(path, server)
        if tree.get("keys") in (None, []) and not is_loopback(server.host):
            yield (*path, "host"), _EXPOSED


def missing_extras(records: Mapping[KeyPath, Section]) -> Iterator[Finding]:
    """What is configured but not installed."""
    is_there = find_spec("opentelemetry") and find_spec("opentelemetry.sdk")
    for path, _ in _each(records, Tracing):
        if not is_there:
            yield path, 'Expected its extra to be installed: pip install "hearth-gateway[otel]"'


def unusable_files(records: Mapping[KeyPath, Section], folder: Path) -> Iterator[Finding]:
    """Certificates and keys that cannot be read, or with which nobody could serve."""
    for path, tls in _each(records, Tls):
        files: dict[str, Any] = {"cert": tls.cert, "key": tls.key}
        given = [name for name, file in files.items() if file is not UNSET]
        unreadable = [name for name in given if not _is_readable(folder / files[name])]
        expected = "Expected a file that can be read; its path starts from this file's folder"
        yield from (((*path, name), expected) for name in unreadable)
        if len(given) == 2 and not unreadable:
            yield from _broken_pair(path, tls.beside(folder))


def _is_readable(file: Path) -> bool:
    return file.is_file() and os.access(file, os.R_OK)


def _broken_pair(path: KeyPath, tls: Tls) -> Iterator[Finding]:
    try:
        tls_context(tls)
    except ssl.SSLError as error:
        expected = "Expected PEM files that belong together, the key without a passphrase"
        yield path, f"{expected}: {error}"


def _each(
    records: Mapping[KeyPath, Section], section: type[SectionT]
) -> list[tuple[KeyPath, SectionT]]:
    return [(path, record) for path, record in records.items() if isinstance(record, section)]


def _repeated(values: Iterable[tuple[KeyPath, Hashable]]) -> Iterator[Finding]:
    first: dict[Hashable, KeyPath] = {}
    for path, value in values:
        if value in first and value is not UNSET:
            yield path, f"Expected a unique value, `{spell(first[value])}` has the same"
        first.setdefault(value, path)


def _broken_secrets(keys: Sequence[tuple[KeyPath, Key]], tree: Any) -> Iterator[Finding]:
    hashes: list[tuple[KeyPath, str]] = []
    for path, key in keys:
        written = tree["keys"][path[1]]  # where a faulty secret is there, unlike in the record
        given = [name for name in ("key", "sha256") if written.get(name) is not None]
        if len(given) != 1:
            yield (*path, *given[1:]), "Expected exactly one of `key` and `sha256`"
        hashes += _hashes_at(path, key, written)
    yield from _repeated(hashes)


def _hashes_at(path: KeyPath, key: Key, written: Any) -> Iterator[tuple[KeyPath, str]]:
    name = "sha256" if key.sha256 else "key"
    for index, key_hash in enumerate(key.hashes):
        place = (*path, name, index) if isinstance(written[name], list) else (*path, name)
        yield place, key_hash


def _broken_networks(path: KeyPath, server: Server) -> Iterator[Finding]:
    for index, network in enumerate(server.trusted_proxies):
        try:
            ip_network(network)
        except ValueError:
            expected = "Expected an IP address, or a network by its first one, such as `10.0.0.0/8`"
            yield (*path, "trusted_proxies", index), expected


def _broken_base_url(path: KeyPath, provider: Provider) -> Iterator[Finding]:
    base_url: Any = provider.base_url
    if base_url is UNSET:
        return
    try:
        url = urlsplit(base_url)
        valid = bool((url.hostname or "").encode("idna")) and url.port != 0
    except ValueError:  # not an IPv6 address, a name that DNS cannot have, or not a port
        valid = False
    if not valid:
        yield (*path, "base_url"), "Expected an address with a valid host and port"


def _broken_models(path: KeyPath, provider: Provider) -> Iterator[Finding]:
    names = [model if isinstance(model, str) else model.name for model in provider.models or ()]
    yield from _repeated([((*path, "models", index), name) for index, name in enumerate(names)])
    served = provider.upstream_models
    if served is None:
        return
    for model in provider.prices:
        if model not in served and model not in served.values():
            yield (*path, "prices", model), "Expected one of this provider's `models`"


def _broken_ledger_url(path: KeyPath, url: Any) -> Iterator[Finding]:
    if url is UNSET or url.startswith("sqlite:"):
        return
    try:
        Address.parse(url)
    except BadAddress as error:
        yield (*path, "url"), f"Expected the address of a Redis: {error}"


_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FIELD_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_CONNECTION_FIELDS = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


def _broken_headers(path: KeyPath, headers: Mapping[str, str]) -> Iterator[Finding]:
    """Syntax: RFC 9110 sections 5.1 and 5.5; connection fields: section 7.6.1."""
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name):
            yield (*path, "headers", name), "Expected a header name: letters, digits and hyphens"
        elif name.lower() in _CONNECTION_FIELDS:
            yield (*path, "headers", name), "Expected another header, this one is set by Hearth"
        if not _FIELD_VALUE.fullmatch(value):
            yield (*path, "headers", name), "Expected a header value without control characters"


_POSITIVE: dict[type[Section], tuple[str, ...]] = {
    Server: ("drain",),
    Timeouts: ("connect", "first_byte", "idle"),
    Health: ("interval",),
    Ejection: ("time",),
    Moderation: ("timeout",),
}


def _broken_durations(records: Mapping[KeyPath, Section]) -> Iterator[Finding]:
    for section, names in _POSITIVE.items():
        for path, record in _each(records, section):
            for name in names:
                if getattr(record, name) == 0:
                    yield (*path, name), "Expected a duration above zero"
    for path, ejection in _each(records, Ejection):
        times: tuple[Any, Any] = (ejection.time, ejection.max_time)
        if UNSET not in times and times[0] > times[1]:
            yield (*path, "max_time"), "Expected a duration that is not below `time`"
