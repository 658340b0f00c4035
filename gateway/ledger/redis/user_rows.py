"""Reading single users out of several periods."""

from collections.abc import Iterable, Sequence

from gateway.ledger.redis import periods
from gateway.ledger.redis.client import Client
from gateway.ledger.redis.keys import Shard, Shards
from gateway.ledger.redis.periods import Part
from gateway.ledger.results import UserRow
from gateway.ledger.topn import Person


async def user_rows(
    client: Client, shards: Shards, parts: Sequence[Part], people: Sequence[Person]
) -> list[UserRow]:
    """Their rows over the periods together, in the order given; users without data are left out."""
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


def _by_home(parts: Iterable[Part]) -> dict[tuple[str, Shard], list[Part]]:
    """The periods of each tenant on each shard."""
    homes: dict[tuple[str, Shard], list[Part]] = {}
    for part in parts:
        homes.setdefault((part.tenant, part.shard), []).append(part)
    return homes
