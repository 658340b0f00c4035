"""Where Redis is: `ledger.url` taken apart.

    redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]       rediss:// the same over TLS
    redis+sentinel://[USER:PASSWORD@]HOST[:PORT],…/SERVICE[/DATABASE]
    redis+cluster://[USER:PASSWORD@]HOST[:PORT],…

A host is a name, an IPv4 address or `[an IPv6 address]`; user, password and service are percent-
decoded. What stands after `?` are the fields of `Options`.
"""

import re
from typing import Annotated, Literal, Self
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import msgspec

Host = tuple[str, int]
Kind = Literal["single", "sentinel", "cluster"]

_KINDS: dict[str, Kind] = {
    "redis": "single",
    "rediss": "single",
    "redis+sentinel": "sentinel",
    "redis+cluster": "cluster",
}
_PORTS = {"single": 6379, "sentinel": 26379, "cluster": 6379}
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]]+)(?::([0-9]{1,5}))?")
_NO_HOST = (
    "no HOST or HOST:PORT between // and /, where a password's own `/`, `?` and `#` are written "
    "%2F, %3F and %23"
)

_Seconds = Annotated[float, msgspec.Meta(gt=0)]


class BadAddress(ValueError):
    """The URL cannot be one of a Redis; the text says why and holds no part of it."""


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`prefix`: what all keys begin with. `connect_timeout` and `timeout`: seconds.

    `replicas`: how many must have a batch before it counts as applied; one with Sentinel unless
    told otherwise, as what a failover would lose is gone from the journal by then. `tls` is on with
    rediss://; `ca`, `cert` and `key` are PEM files. Sentinels may have a login of their own.
    """

    prefix: str = "hearth"
    connect_timeout: _Seconds = 2.0
    timeout: _Seconds = 5.0
    replicas: Annotated[int, msgspec.Meta(ge=0)] | None = None
    tls: bool = False
    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    sentinel_username: str | None = None
    sentinel_password: str | None = None


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """A URL's parts. `service` is what the Sentinels call the Redis they watch."""

    kind: Kind
    hosts: tuple[Host, ...]
    username: str | None = None
    password: str | None = None
    service: str = ""
    database: int = 0
    options: Options = Options()

    @classmethod
    def parse(cls, url: str) -> Self:
        """Raises BadAddress."""
        try:
            parts = urlsplit(url)
        except ValueError as error:
            raise BadAddress(_NO_HOST) from error
        if "#" in url:  # what is before it could pass for a host, and be shown
            raise BadAddress(_NO_HOST)
        kind = _KINDS.get(parts.scheme)
        if kind is None:
            raise BadAddress(f"it begins with none of {', '.join(_KINDS)}")
        login, _, netloc = parts.netloc.rpartition("@")
        username, _, password = login.partition(":")
        hosts = tuple(_host(each, _PORTS[kind]) for each in netloc.split(","))
        if kind == "single" and len(hosts) > 1:
            raise BadAddress("several hosts need redis+sentinel:// or redis+cluster://")
        service, database = _path(kind, parts.path)
        return cls(
            kind=kind,
            hosts=hosts,
            username=unquote(username) or None,
            password=unquote(password) or None,
            service=service,
            database=database,
            options=_options(kind, parts),
        )

    def __str__(self) -> str:
        """To be shown: without the login."""
        hosts = ",".join(f"{host}:{port}" for host, port in self.hosts)
        return f"redis {self.service} at {hosts}" if self.service else f"redis at {hosts}"


def _host(text: str, port: int) -> Host:
    match = _HOST.fullmatch(text)
    if match is None or not 0 < (number := int(match[2] or port)) <= 65535:
        raise BadAddress(_NO_HOST)
    return match[1].strip("[]"), number


def _path(kind: Kind, path: str) -> tuple[str, int]:
    """The service, for Sentinel only, and the database, which a Cluster has not."""
    parts = [unquote(part) for part in path.split("/") if part]
    service = parts.pop(0) if kind == "sentinel" and parts else ""
    database = parts.pop(0) if kind != "cluster" and parts else "0"
    if parts or not database.isdecimal():
        raise BadAddress(f"its path does not fit a {kind} Redis")
    if kind == "sentinel" and not service:
        raise BadAddress("the name of the service is missing: redis+sentinel://HOST/SERVICE")
    return service, int(database)


def _fields(query: str) -> list[tuple[str, str]]:
    """An empty value is none; a name alone, such as `tls`, would be passed over in silence.

    A `+` is a plus, as in the login: only forms write a space so.
    """
    try:
        return parse_qsl(query.replace("+", "%2B"), strict_parsing=True) if query else []
    except ValueError:
        raise BadAddress("after `?` it takes NAME=VALUE, with `&` in between") from None


def _options(kind: Kind, parts: SplitResult) -> Options:
    given: dict[str, object] = dict(_fields(parts.query))
    if parts.scheme == "rediss":
        given["tls"] = True
    try:
        options = msgspec.convert(given, Options, strict=False)
    except msgspec.ValidationError as error:
        raise BadAddress(str(error)) from error
    if options.replicas and kind == "cluster":
        raise BadAddress("replicas: not for a Cluster; see Redis' `min-replicas-to-write`")
    if "{" in options.prefix:
        raise BadAddress("prefix: must not contain `{`, which tells a Cluster where keys belong")
    return options
