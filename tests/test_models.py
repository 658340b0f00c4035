"""The models of the configuration, as clients list and retrieve them."""

from pathlib import Path

import pytest

from gateway.api.models import count_models, describe_model, get_model, list_models
from gateway.errors import BadRequest, ModelNotFound, NotFound, Unauthorized
from tests.parts.asking import Asker, recording

MODELS = ["small", {"name": "meta/large", "upstream": "large-8b"}]


async def test_list(tmp_path: Path) -> None:
    """Every name clients may ask for, once; what the provider calls it stays inside."""
    async with recording(tmp_path, models=MODELS) as context:
        listed = await Asker(context, list_models, "models").json("", "sk-app")
    assert listed["object"] == "list"
    assert [model["id"] for model in listed["data"]] == ["small", "meta/large"]
    assert all(model["object"] == "model" for model in listed["data"])


@pytest.mark.parametrize("path", ["models/meta/large", "models/meta%2Flarge", "Models/meta/large"])
async def test_retrieve(tmp_path: Path, path: str) -> None:
    """One by its name, with its slash as it is or escaped."""
    async with recording(tmp_path, models=MODELS) as context:
        model = await Asker(context, get_model, path).json("", "sk-app")
    assert (model["id"], model["owned_by"]) == ("meta/large", "a")


async def test_one_as_openrouter_has_it(tmp_path: Path) -> None:
    """At `model/{author}/{slug}` it stands below `data`; `endpoints` of it are not known, be it
    that a provider takes any name."""
    async with recording(tmp_path) as context:
        model = await Asker(context, describe_model, "model/meta/large").json("", "sk-app")
        assert model["data"]["id"] == "meta/large"
        with pytest.raises(NotFound, match="endpoints"):
            await Asker(context, get_model, "models/meta/large/endpoints").answer("", "sk-app")


async def test_how_many(tmp_path: Path) -> None:
    """As many as the list has."""
    async with recording(tmp_path, models=MODELS) as context:
        found = await Asker(context, count_models, "models/count").json("", "sk-app")
    assert found == {"data": {"count": 2}}


@pytest.mark.parametrize(
    ("model", "price"),
    [
        ("small", {"prompt": "0.00000015", "completion": "0.0000006"}),
        ("meta/large", {"prompt": "0.000002", "completion": "0"}),
        ("gpt-4o", {"prompt": "0.0000025", "completion": "0.00001"}),
        ("what-nobody-sells", {"prompt": "-1", "completion": "-1"}),
    ],
)
async def test_price(tmp_path: Path, model: str, price: dict[str, str]) -> None:
    """USD a token, as decimal text without an exponent: of the configuration, else of the
    catalogue; -1 where nobody knows."""
    prices = {"small": {"input": 0.15, "output": 0.6}, "large-8b": {"input": 2, "output": 0}}
    names = [*MODELS, "gpt-4o", "what-nobody-sells"]
    async with recording(tmp_path, models=names, prices=prices) as context:
        found = await Asker(context, get_model, f"models/{model}").json("", "sk-app")
    assert found["pricing"] == price


@pytest.mark.parametrize("offset", ["-1", "x", "1000001"])
async def test_offset(tmp_path: Path, offset: str) -> None:
    """An offset that is no count is an error; what narrows other people's lists is passed over."""
    async with recording(tmp_path, models=MODELS) as context:
        asker = Asker(context, list_models, "models")
        with pytest.raises(BadRequest, match="offset"):
            await asker.answer(f"offset={offset}", "sk-app")
        listed = await asker.json("offset=1&limit=1&category=science", "sk-app")
    assert [model["id"] for model in listed["data"]] == ["meta/large"]
    assert listed["total_count"] == 2


async def test_none_named(tmp_path: Path) -> None:
    """Where providers take any model the list is empty, and whole."""
    async with recording(tmp_path) as context:
        listed = await Asker(context, list_models, "models").json("", "sk-app")
    assert (listed["data"], listed["first_id"], listed["has_more"]) == ([], None, False)


async def test_unknown(tmp_path: Path) -> None:
    """A model nobody serves is a 404 that names it; an upstream name is none."""
    async with recording(tmp_path, models=MODELS) as context:
        with pytest.raises(ModelNotFound, match="large-8b"):
            await Asker(context, get_model, "models/large-8b").answer("", "sk-app")


async def test_keys(tmp_path: Path) -> None:
    """Any key that is known may look, no other."""
    async with recording(tmp_path, models=MODELS) as context:
        for key in ("sk-app", "sk-ops"):
            assert (await Asker(context, list_models, "models").json("", key))["data"]
        with pytest.raises(Unauthorized):
            await Asker(context, list_models, "models").answer("", "sk-nobody")
