"""The models of the configuration, as OpenAI's clients list and retrieve them."""

from pathlib import Path

import pytest

from gateway.api.models import get_model, list_models
from gateway.errors import ModelNotFound, Unauthorized
from tests.asking import Asker, recording

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
