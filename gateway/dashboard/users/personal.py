"""Everything kept of one end user: handed out as a file, or erased."""

from collections.abc import AsyncIterator, Sequence

import msgspec

from gateway.calendar import day_text
from gateway.dashboard.visit import Chunks, Page, Visit
from gateway.errors import BadRequest
from gateway.keys import OPEN, check_manager
from gateway.ledger.person.dossier import DossierEntry
from gateway.ledger.person.erasure import Erasure
from gateway.ledger.person.traces import Person
from gateway.ledger.store import StoreUnavailable

PARAMETERS = ("id", "key")


class Erased(msgspec.Struct, frozen=True):
    """What the page shows; `generations` in the store."""

    user: str
    erasure: Erasure
    generations: int


def person(visit: Visit) -> Person:
    """Whom the address is about; BadRequest where it names nobody."""
    user = visit.place or visit.values.get("id")
    if user is None:
        raise BadRequest("Parameter `id` is missing", "id")
    return Person(user, visit.tenants)


async def export_user(visit: Visit) -> Chunks:
    """A file of JSON lines, as `hearth export-user` writes it; for management keys."""
    check_manager(visit.tenant)
    entries = await visit.context.ledger.dossier(person(visit))
    name = f"user-{day_text(visit.today)}.jsonl"
    return Chunks(name, "application/jsonl", _lines(entries))


async def erase_user(visit: Visit) -> Page:
    """Erase, and say what was; StoreUnavailable when it has to be repeated. For management keys."""
    check_manager(visit.tenant)
    who = person(visit)
    erasure = await visit.context.ledger.erase(who, [OPEN, *visit.keys])
    if erasure.error is not None:
        raise StoreUnavailable(
            f"{erasure.error}. The journal forgot {who.user}; the store did not: repeat it later"
        )
    generations = sum(erasure.generations.values())
    return Page("erased.html", Erased(who.user, erasure, generations))


async def _lines(pages: AsyncIterator[Sequence[DossierEntry]]) -> AsyncIterator[bytes]:
    async for entries in pages:
        yield msgspec.json.Encoder().encode_lines(entries)
