"""What `/metrics` tells, as a scraper reads it."""

import aiohttp
from prometheus_client import parser

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(text: str) -> Samples:
    """Name and labels -> value, of everything in the text format."""
    families = parser.text_string_to_metric_families(text)
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


async def metric(origin: str, name: str) -> float:
    """The sum of the samples of that name, of which there must be one."""
    found = [value for (each, _), value in (await scraped(origin)).items() if each == name]
    assert found, name
    return sum(found)


async def scraped(origin: str) -> Samples:
    """All there are, where a scraper needs no key."""
    async with aiohttp.ClientSession() as http, http.get(f"{origin}/metrics") as answer:
        return samples(await answer.text())
