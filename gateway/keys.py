"""Who calls: the key a request presents, and the tenant it belongs to."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

import msgspec

from gateway.calls.head import Head
from gateway.calls.local import is_local
from gateway.calls.request import Request
from gateway.config import Config, Key, Policies
from gateway.errors import Forbidden, Unauthorized

OPEN = "default"
"""The only tenant of a gateway without keys."""


@dataclass(frozen=True)
class Tenant:
    """On whose account a call counts, and what holds for it; `key_hash` is of the secret that was
    presented, of which a key may have several."""

    name: str
    role: Literal["client", "management"]
    policies: Policies
    key_hash: str | None = None

    @property
    def is_manager(self) -> bool:
        """Whether it may see all keys' records, and not only those of its own."""
        return self.role == "management"


class Keyring:
    """The configured keys, looked up by hash so that a comparison tells nothing by its time.

    A key that was right once is then looked up as it is. Only such keys are there, and Python's own
    hash of bytes, which a lookup compares first, is keyed with a secret of the process.
    """

    def __init__(self, config: Config) -> None:
        self._open = None if config.keys else Tenant(OPEN, "management", config.policies)
        self._is_guarded = not config.server.trusted_proxies
        self._tenants = {
            key_hash: _tenant(key, key_hash, config.policies)
            for key in config.keys
            for key_hash in key.hashes
        }
        self._presented: dict[bytes, Tenant] = {}

    def tenant(self, request: Request) -> Tenant:
        """Whose request it is; Unauthorized when it presents no key that is known.

        Without keys, Forbidden for what a website may have had a browser send.
        """
        if self._open is not None:
            if self._is_guarded:
                _refuse_other_sites(request)
            return self._open
        presented = request.head.parsed.key
        if presented is None:
            raise Unauthorized("Missing Authentication header")
        return self.tenant_of(presented)

    def knows(self, head: Head) -> bool:
        """Whether a request with this head is somebody's."""
        if self._open is not None:
            return True
        key = head.parsed.key
        return key is not None and self._found(key) is not None

    def tenant_of(self, key: bytes) -> Tenant:
        """Whose key it is; Unauthorized when it is not known."""
        tenant = self._found(key)
        if tenant is None:
            raise Unauthorized("The API key is not known")
        return tenant

    def caller(self, request: Request) -> Tenant:
        """The tenant of a model call; Forbidden for a management key.

        openrouter.ai/docs/guides/overview/auth/management-api-keys: they cannot call models.
        """
        tenant = self.tenant(request)
        if tenant.is_manager and tenant is not self._open:
            raise Forbidden("Management keys cannot call models or providers; use a client key")
        return tenant

    def manager(self, request: Request) -> Tenant:
        """The tenant of a management call; Forbidden for any other key."""
        tenant = self.tenant(request)
        check_manager(tenant)
        return tenant

    def tenant_by_hash(self, key_hash: str) -> Tenant | None:
        """The tenant whose key has this SHA-256 in hex."""
        return self._tenants.get(key_hash.lower())

    def name_by_hash(self, key_hash: str) -> str | None:
        """The name of that tenant."""
        tenant = self.tenant_by_hash(key_hash)
        return tenant.name if tenant else None

    def _found(self, key: bytes) -> Tenant | None:
        tenant = self._presented.get(key)
        if tenant is None:
            tenant = self._tenants.get(sha256(key).hexdigest())
            if tenant is not None:
                self._presented[key] = tenant
        return tenant


def check_manager(tenant: Tenant) -> None:
    """Forbidden unless it is a manager."""
    if not tenant.is_manager:
        raise Forbidden("Only management keys can perform this operation")


def _refuse_other_sites(request: Request) -> None:
    fields = request.head.fields
    if not is_local(fields.get(b"host"), fields.get(b"origin")):
        raise Forbidden(
            "Without `keys`, Hearth only answers at localhost and IP addresses, and never another "
            "site's pages"
        )


def _tenant(key: Key, key_hash: str, policies: Policies) -> Tenant:
    if key.enforce_user_ids is not None:
        policies = msgspec.structs.replace(policies, enforce_user_ids=key.enforce_user_ids)
    return Tenant(key.name, key.role, policies, key_hash)
