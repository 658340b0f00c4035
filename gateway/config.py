"""What may happen: the configuration as frozen records, and what makes one impossible.

Every record mirrors one YAML mapping of `config.example.yaml`; a field's default is the default
of its key. Reading a file into these records is `configfile.load`.
"""

from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Literal, Self

import msgspec

from gateway.units import Duration, Size

Name = Annotated[
    str,
    msgspec.Meta(
        max_length=128,
        pattern=r"^[^\x00-\x1f\x7f]+\Z",
        description="a string of 1 to 128 characters without control characters",
    ),
]
Secret = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[!-~]+\Z", description="a string of visible ASCII characters without spaces"
    ),
]
Sha256 = Annotated[
    str,
    msgspec.Meta(pattern=r"^[0-9a-fA-F]{64}\Z", description="a string of 64 hexadecimal digits"),
]
ONE_OR_MORE = msgspec.Meta(min_length=1, description="one, or a list with at least one entry")
"""Of a list that may be written as its only entry."""
Secrets = Annotated[tuple[Secret, ...], ONE_OR_MORE]
Hashes = Annotated[tuple[Sha256, ...], ONE_OR_MORE]
Url = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^https?://[^/?#@\s]+(/[^?#\s]*)?\Z",
        description="an http:// or https:// address without credentials, query or fragment",
    ),
]
Count = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
MAX_WORKERS = 512
Price = Annotated[float, msgspec.Meta(ge=0, le=10_000)]


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A YAML mapping; an unknown key in it is an error."""


class Tls(Section, frozen=True, kw_only=True):
    """The server's certificate chain and private key, both PEM files."""

    cert: str
    key: str

    def beside(self, folder: Path) -> Self:
        """The same, where relative paths start from `folder`."""
        return msgspec.structs.replace(
            self, cert=str(folder / self.cert), key=str(folder / self.key)
        )


class Server(Section, frozen=True, kw_only=True):
    """Where Hearth listens. `port: 0` takes a free one.

    `trusted_proxies`: addresses and networks of those whose `X-Forwarded-For` and
    `X-Forwarded-Proto` are believed.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8080
    workers: Annotated[int, msgspec.Meta(ge=1, le=MAX_WORKERS)] = 1
    wire: Literal["fast", "aiohttp"] = "fast"
    max_body: Size = Size(32 * 1024 * 1024)
    drain: Duration = Duration(30)
    trusted_proxies: tuple[str, ...] = ()
    tls: Tls | None = None


class Key(Section, frozen=True, kw_only=True, dict=True):
    """One API key of Hearth; its name is the tenant. Exactly one of `key` and `sha256` is set.

    It may have several secrets, each as good as the others, so that one can take another's place.
    `enforce_user_ids` beats `policies.enforce_user_ids`; absent, the policy's value holds.
    """

    name: Name
    key: Secrets | None = None
    sha256: Hashes | None = None
    role: Literal["client", "management"] = "client"
    enforce_user_ids: bool | None = None

    @cached_property
    def hashes(self) -> tuple[str, ...]:
        """SHA-256 of each secret in lower-case hex, as OpenRouter's `/keys` names a key."""
        if self.sha256:
            return tuple(each.lower() for each in self.sha256)
        return tuple(sha256(each.encode()).hexdigest() for each in self.key or ())


class Timeouts(Section, frozen=True, kw_only=True):
    """Seconds to connect, to the answer's first byte, and between two reads of the answer."""

    connect: Duration = Duration(5)
    first_byte: Duration = Duration(120)
    idle: Duration = Duration(120)


class Health(Section, frozen=True, kw_only=True):
    """An active probe: GET `path` every `interval`."""

    path: Annotated[
        str, msgspec.Meta(pattern=r"^/[!-~]*\Z", description="a path that begins with `/`")
    ] = "/models"
    interval: Duration = Duration(10)


class Ejection(Section, frozen=True, kw_only=True):
    """When calls tell that a provider is sick, and for how long it is then left alone.

    `failures` in a row, or `share` of the latest calls. The first time lasts `time`, every further
    one twice as long, up to `max_time`.
    """

    failures: Count = 5
    share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.5
    time: Duration = Duration(5)
    max_time: Duration = Duration(300)


class ModelPrice(Section, frozen=True, kw_only=True):
    """USD per million tokens, for `web_search` per thousand searches.

    What is absent costs what its whole does: a part of the prompt as `input`, one of the answer as
    `output`, cached audio and images as others, where those have a price. Searches are then free.
    """

    input: Price
    output: Price
    cached_input: Price | None = None
    cache_write: Price | None = None
    input_audio: Price | None = None
    cached_audio: Price | None = None
    output_audio: Price | None = None
    input_image: Price | None = None
    cached_image: Price | None = None
    output_image: Price | None = None
    web_search: Price = 0


class Model(Section, frozen=True, kw_only=True):
    """A model a provider serves: `name` is what clients ask for, `upstream` what is sent."""

    name: Name
    upstream: Name | None = None


class Provider(Section, frozen=True, kw_only=True, dict=True):
    """One upstream account. The ring is keyed on `name`.

    `forwards_preferences`: the upstream gets the request's `provider` object and obeys it itself.
    `cache_key_secret`: calls get a `prompt_cache_key`, their user's hash under this key.
    `include_usage`: streams that do not ask for their usage are made to.
    """

    name: Name
    base_url: Url
    api_key: Secret | None = None
    weight: Annotated[float, msgspec.Meta(ge=0, le=1000)] = 1
    models: tuple[Name | Model, ...] | None = None
    headers: dict[str, str] = {}
    max_in_flight: Count = 512
    timeouts: Timeouts = Timeouts()
    health: Health | None = None
    ejection: Ejection = Ejection()
    forwards_preferences: bool = False
    cache_key_secret: Secret | None = None
    include_usage: bool = True
    prices: dict[str, ModelPrice] = {}

    @cached_property
    def upstream_models(self) -> dict[str, str] | None:
        """Asked name -> name to send, for every model served; None serves any, unrenamed."""
        if self.models is None:
            return None
        models = (Model(name=m) if isinstance(m, str) else m for m in self.models)
        return {model.name: model.upstream or model.name for model in models}

    def serves(self, model: str | None) -> bool:
        """Whether calls for `model` may come here; a call that names none may go anywhere."""
        served = self.upstream_models
        return served is None or model is None or model in served

    def upstream_model(self, model: str) -> str:
        """The name this provider knows `model` by."""
        return (self.upstream_models or {}).get(model, model)


StickySource = Literal["user", "safety_identifier", "session_id", "prompt_cache_key", "fingerprint"]
"""`fingerprint`: the conversation's opening messages."""


class Sticky(Section, frozen=True, kw_only=True):
    """What keeps a user at home. `key`: sources in order of precedence; empty is never sticky."""

    key: tuple[StickySource, ...] = ("user", "session_id", "prompt_cache_key")
    points: Annotated[int, msgspec.Meta(ge=1, le=65536)] = 12288
    load_factor: Annotated[float, msgspec.Meta(ge=1)] = 2.5
    floor: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 32
    slow_start: Duration = Duration(30)


class Moderation(Section, frozen=True, kw_only=True):
    """A check of what the user says by `provider`'s moderation endpoint, before it is forwarded.

    `action` is what becomes of a call that is flagged, `on_error` of one that cannot be checked
    within `timeout`.
    """

    provider: Name
    model: Name = "omni-moderation-latest"
    action: Literal["flag", "block"] = "flag"
    on_error: Literal["allow", "block"] = "allow"
    timeout: Duration = Duration(5)


class Policies(Section, frozen=True, kw_only=True):
    """What is refused, and whether a request header may change that.

    `unknown_addresses`: what becomes of calls that pass through unread, such as files and batches.
    `header_override`: `allow` either way, `tighten` only switches on, `deny` ignores the header.
    """

    enforce_user_ids: bool = False
    unknown_addresses: Literal["allow", "block"] = "allow"
    moderation: Moderation | None = None
    header_override: Literal["allow", "tighten", "deny"] = "allow"
    message_prefix: str = "Usage Panda: "


class Tracing(Section, frozen=True, kw_only=True):
    """Where spans are sent, by OTLP over HTTP. `endpoint` is the collector's address, without
    `/v1/traces`; `sample` the part of the traces begun here that is sent."""

    endpoint: Url
    sample: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1
    headers: dict[str, str] = {}


class Metrics(Section, frozen=True, kw_only=True):
    """`/metrics`. `public`: it asks for no key. `users`: so many are counted by name, the rest as
    one; 0 counts nobody."""

    public: bool = False
    users: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 0


class Retention(Section, frozen=True, kw_only=True):
    """How long single generations and daily activity rows are kept."""

    generations: Duration = Duration(30 * 86400)
    activity: Duration = Duration(400 * 86400)


class Ledger(Section, frozen=True, kw_only=True):
    """Where counts are kept: the store's URL and the folder of the journals before it.

    `sqlite://` is refused: programs differ in where the path after it starts.
    """

    url: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^(sqlite:(?!//).+|rediss?://.+|redis\+(sentinel|cluster)://.+)\Z",
            description="sqlite:FILE, redis://, rediss://, redis+sentinel:// or redis+cluster://",
        ),
    ] = "sqlite:hearth.db"
    journal: str = "journal/"
    retention: Retention = Retention()


class Config(Section, frozen=True, kw_only=True):
    """The whole file."""

    server: Server = Server()
    keys: tuple[Key, ...] = ()
    providers: Annotated[tuple[Provider, ...], msgspec.Meta(min_length=1)]
    sticky: Sticky = Sticky()
    policies: Policies = Policies()
    ledger: Ledger = Ledger()
    metrics: Metrics = Metrics()
    tracing: Tracing | None = None

    @property
    def client_names(self) -> list[str]:
        """The names of the keys that may call models."""
        return [key.name for key in self.keys if key.role == "client"]
