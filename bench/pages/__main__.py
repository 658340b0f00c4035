"""`python -m bench.pages`: ask for every page on two large ledgers; exit 1 when one is too slow or
too heavy."""

import argparse
import asyncio
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp

from bench.pages import report
from bench.pages.addresses import addresses
from bench.pages.gateway import KEYS, serving
from bench.pages.ledgers import Size, fill_if_empty, redis_ledger
from bench.pages.visits import Look, Looks, newest, visit
from bench.screen import progress, show_table


def main() -> int:
    """Run the measurement of the command line."""
    arguments = _arguments()
    looks = asyncio.run(_measure(arguments))
    show_table(report.columns(looks), report.rows(looks))
    if arguments.write:
        report.write(looks, arguments.write)
    misses = report.misses(looks)
    for miss in misses:
        sys.stderr.write(f"{miss}\n")
    return int(bool(misses))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.pages", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("bench/.pages"), help="for SQLite")
    parser.add_argument("--users", type=int, default=1_000_000, help="in SQLite")
    parser.add_argument("--generations", type=int, default=5_000_000, help="in SQLite")
    parser.add_argument("--redis-users", type=int, default=100_000)
    parser.add_argument("--redis-generations", type=int, default=500_000)
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table into it")
    return parser.parse_args()


async def _measure(arguments: argparse.Namespace) -> Looks:
    """Every page on both ledgers, with both kinds of key."""
    looks: Looks = {}
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hearth-pages-")))
        arguments.folder.mkdir(parents=True, exist_ok=True)
        urls = {
            "SQLite": f"sqlite:{arguments.folder / 'hearth.db'}",
            "Redis": stack.enter_context(redis_ledger(folder / "redis")),
        }
        sizes = {
            "SQLite": Size(arguments.users, arguments.generations),
            "Redis": Size(arguments.redis_users, arguments.redis_generations),
        }
        for name, url in urls.items():
            await fill_if_empty(url, sizes[name])
            for role, key in KEYS.items():
                with serving(folder / f"{name}-{role}", url) as origin:
                    looks[name, role] = await _walk(
                        origin, key, sizes[name].quiet_user, f"{name}, {role} key"
                    )
    return looks


async def _walk(origin: str, key: str, quiet: str, title: str) -> dict[str, Look]:
    headers = {"Authorization": f"Bearer {key}"}
    async with aiohttp.ClientSession(origin, headers=headers) as session:
        pages = addresses(await newest(session), quiet)
        with progress(len(pages)) as step:
            looks = {}
            for name, path in pages.items():
                step(f"{title}: {name}")
                looks[name] = await visit(session, path)
    return looks


if __name__ == "__main__":
    sys.exit(main())
