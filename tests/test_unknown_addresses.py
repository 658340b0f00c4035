"""Addresses that Hearth does not know, blocked where an operator wants that."""

from pathlib import Path

import pytest

from gateway.calls.call import Call
from gateway.calls.endpoint import ENDPOINTS, parse_target, unmetered
from gateway.config import Policies
from gateway.policies.unknown_addresses import FLAG, unknown_addresses
from tests.parts.calls import CHAT, COMPLETION, Requests, at, whole
from tests.parts.gateways import Wire, running_gateway
from tests.parts.raw_client import connected, post
from tests.parts.raw_provider import serving


@pytest.mark.parametrize("path", ["files", "batches", "complete", "chat/completions.json"])
def test_unknown_address(path: str) -> None:
    """It passes unless it is to be blocked; then it has a flag."""
    target = parse_target(f"/v1/{path}")
    assert target is not None
    call = Call(endpoint=target.endpoint, tenant="my-app")
    assert unknown_addresses(call, Policies()) is None
    assert unknown_addresses(call, Policies(unknown_addresses="block")) == FLAG


@pytest.mark.parametrize("path", ENDPOINTS)
def test_known_address(path: str) -> None:
    """It passes, but for reading what a provider keeps there of everybody's calls."""
    target = parse_target(f"/v1/{path}")
    assert target is not None
    policies = Policies(unknown_addresses="block")
    assert unknown_addresses(Call(endpoint=target.endpoint, tenant="my-app"), policies) is None
    reading = Call(endpoint=unmetered(target).endpoint, tenant="my-app")
    assert unknown_addresses(reading, policies) == FLAG


async def test_on_the_wire(tmp_path: Path, wire: Wire) -> None:
    """Blocked is 422 and never sent on; model calls go on."""
    requests = Requests(whole(COMPLETION))
    server, policies = {"wire": wire}, {"unknown_addresses": "block"}
    async with (
        serving(requests) as provider,
        running_gateway(tmp_path, [at(provider)], server=server, policies=policies) as gateway,
        connected(gateway.origin) as client,
    ):
        answer = await client.ask(post(b"{}", "/v1/files"))
        assert (answer.status, requests.seen) == (422, [])
        assert b"does not know" in answer.body
        assert (await client.ask(post(CHAT))).status == 200
