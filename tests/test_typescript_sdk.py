"""The guides' TypeScript examples: npm's `openai` and `@openrouter/sdk`, run by node."""

import asyncio
import json
import os
import shutil
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.parts.client_world import APP_KEY, MODEL, OPS_KEY, ClientWorld

SCRIPTS = Path(__file__).parent / "typescript"
QUESTION = {"role": "user", "content": "What's the weather like today?"}

pytestmark = [
    pytest.mark.skipif(shutil.which("node") is None, reason="there is no node here"),
    pytest.mark.skipif(
        not (SCRIPTS / "node_modules" / "openai").is_dir(),
        reason="the npm packages are missing; `make test` installs them",
    ),
]


async def run(world: ClientWorld, script: str) -> dict[str, Any]:
    """What `script` printed, which is one JSON object; it must end well."""
    environment = {
        "HEARTH_URL": world.gateway.origin,
        "HEARTH_KEY": APP_KEY,
        "HEARTH_MANAGEMENT_KEY": OPS_KEY,
        "HEARTH_MODEL": MODEL,
    }
    process = await asyncio.create_subprocess_exec(
        *("node", SCRIPTS / script),
        env=os.environ | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, complaints = await process.communicate()
    assert process.returncode == 0, complaints.decode()
    printed: dict[str, Any] = json.loads(output)
    return printed


async def direct_answer(http: aiohttp.ClientSession, world: ClientWorld) -> str:
    """What the model says to the guide's question, without any SDK."""
    async with http.post(
        f"{world.gateway.url}/chat/completions",
        json={"model": MODEL, "messages": [QUESTION], "user": "user_12345"},
        headers={"Authorization": f"Bearer {APP_KEY}"},
        raise_for_status=True,
    ) as response:
        content: str = (await response.json())["choices"][0]["message"]["content"]
        return content


async def test_openai(http: aiohttp.ClientSession, world: ClientWorld) -> None:
    """OpenAI's SDK gets the guide's answer, its stream with usage, and the guide's 422."""
    printed = await run(world, "openai.mjs")
    users = {seen.body.count(b'"user_12345"') for seen in world.provider.seen}
    content = await direct_answer(http, world)
    assert printed["content"] == printed["streamed"]["text"] == content
    assert printed["streamed"]["usage"]["completion_tokens"] > 0
    assert users == {1}
    assert printed["refusal"] == {
        "name": "UnprocessableEntityError",
        "status": 422,
        "error": {
            "message": "Usage Panda: Config set to block requests without user field",
            "type": "invalid_request",
            "param": None,
            "code": None,
        },
    }


async def test_openrouter(http: aiohttp.ClientSession, world: ClientWorld) -> None:
    """OpenRouter's SDK takes the guide's example as it is printed; its user is on record."""
    printed = await run(world, "openrouter.mjs")
    record = await world.newest(http)
    assert printed["content"] == await direct_answer(http, world)
    assert (record["external_user"], record["streamed"]) == ("user_12345", False)


async def test_openrouter_1(http: aiohttp.ClientSession, world: ClientWorld) -> None:
    """Version 1 of OpenRouter's SDK can read answers, streams, records, activity, models and
    errors."""
    printed = await run(world, "openrouter-1.mjs")
    generation, errors = printed["generation"], printed["errors"]
    silent, counted = printed["silent"], printed["counted"]
    assert printed["content"] == silent["text"] == counted["text"]
    assert printed["content"] == await direct_answer(http, world)
    assert silent["usage"] is None
    assert counted["usage"]["completionTokens"] > 0
    assert (generation["externalUser"], generation["providerName"]) == ("user_12345", "a")
    assert generation["providerResponses"][0]["status"] == 200
    assert printed["activity"] == []
    assert printed["models"][0] == [MODEL, "0.000001"]
    assert {name: error[:2] for name, error in errors.items()} == {
        "forbidden": ["ForbiddenResponseError", 403],
        "missing": ["NotFoundResponseError", 404],
        "stranger": ["UnauthorizedResponseError", 401],
        "refused": ["UnprocessableEntityResponseError", 422],
    }
    assert errors["refused"][2].endswith("block requests without user field")
