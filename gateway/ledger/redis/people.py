"""What is kept of single users in periods that are looked up."""

from collections.abc import Iterable, Sequence

from gateway.ledger.redis import periods
from gateway.ledger.redis.client import Client
from gateway.ledger.redis.keys import Keys, Shards
from gateway.ledger.redis.periods import Part
from gateway.ledger.results import UserRow
from gateway.ledger.topn import Person


async def user_rows(
    client: Client, shards: Shards, parts: Sequence[Part], people: Sequence[Person]
) -> list[UserRow]:
    """What is kept of users in the periods, in the order given."""
    homes = _by_home(parts)
    wanted = [
        (tenant, user, homes.get((tenant, shards.of(tenant, user)), [])) for tenant, user in people
    ]
    replies = iter(
        await client.ask(
            [("HGETALL", part.user(user)) for _, user, some in wanted for part in some]
        )
    )
    rows = [
        periods.user_row(tenant, user, [(part.period, next(replies)) for part in some])
        for tenant, user, some in wanted
    ]
    return [row for row in rows if row]


def _by_home(parts: Iterable[Part]) -> dict[tuple[str, Keys], list[Part]]:
    """The periods of each tenant on each shard."""
    homes: dict[tuple[str, Keys], list[Part]] = {}
    for part in parts:
        homes.setdefault((part.tenant, part.names), []).append(part)
    return homes
