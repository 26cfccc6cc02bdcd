"""A phrase or name cut in two over a request's fields: over HTTP, in every protocol."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from guard.corruption.functions import Corruption
from guard.corruption.prompt_embedder import PromptEmbedder
from guard.corruption.rewriting import Rewriter
from guard.detectors.forget.request_folder import RequestFolder
from guard.detectors.names.phrases import PhraseList
from guard.terms.json import JsonObject
from tests.guard.conftest import CHAT, RigMaker
from tests.guard.corruption.checkpoints import random_rows, write_checkpoint
from tests.guard.detectors.forget.test_request_folder import ENCODER, put
from tests.guard.rendering import splits
from tests.guard.rendering.splits import CUTS, PAIRS, PHRASE
from tests.guard.rendering.splits_of_protocols import MESSAGES, RESPONSES
from tests.guard.rendering.templates import family_template

NAME = "Ilse Varnholt"
MODELS = {"demo": {"path": "/nowhere"}}
NAME_CUTS = {
    "inside a word": ("What of Ilse Varn", "holt is known?"),
    "at a space that is lost": ("What of Ilse", "Varnholt is known?"),
    "behind a space": ("What of Ilse ", "Varnholt is known?"),
    "before the last word": ("What of Ilse", " Varnholt is known?"),
}


def requests() -> Iterator[tuple[str, str, splits.Pair]]:
    for name, pair in PAIRS.items():
        yield name, "/v1/completions" if name == "prompt and suffix" else CHAT, pair
    for name, pair in RESPONSES.items():
        yield name, "/v1/responses", pair
    for name, pair in MESSAGES.items():
        yield name, "/v1/messages", pair


REQUESTS = tuple(requests())
IDS = [f"{route.rpartition('/')[2]}: {name}" for name, route, _ in REQUESTS]
ROWS = [(route, pair) for _, route, pair in REQUESTS]


@pytest.fixture
def rewriter(tmp_path: Path) -> Rewriter:
    folder = write_checkpoint(tmp_path / "model", random_rows(300, 8, np.dtype(np.float32)))
    embedder = PromptEmbedder.open(folder, key=b"k", max_tokens=512)
    return Rewriter({"demo": embedder}, Corruption("rand_noise_first_n", 1, 50.0), key=b"k")


@pytest.fixture
def names(tmp_path: Path) -> Iterator[RequestFolder]:
    put(tmp_path / "requests", "varnholt", NAME)
    made = RequestFolder(tmp_path / "requests", ENCODER, reload_s=3600)
    yield made
    made.close()


def demo(body: JsonObject) -> JsonObject:
    return {**body, "model": "demo"}


@pytest.mark.parametrize(("route", "pair"), ROWS, ids=IDS)
async def test_no_split_of_a_phrase_passes(
    make_rig: RigMaker, route: str, pair: splits.Pair
) -> None:
    async with make_rig(("block", PhraseList([PHRASE]))) as rig:
        for first, second in CUTS.values():
            answer = await rig.client.post(route, json=demo(pair(first, second)))
            assert answer.status_code == 400, (first, second)
            assert "content" in answer.text
        assert rig.vllm.requests == []
        harmless = pair("Of the violet hills.", "The harbour protocol I know.")
        await rig.client.post(route, json=demo(harmless))
        assert len(rig.vllm.requests) == 1


@pytest.mark.parametrize(("route", "pair"), ROWS, ids=IDS)
async def test_no_split_of_a_name_reaches_the_model(
    make_rig: RigMaker, rewriter: Rewriter, names: RequestFolder, route: str, pair: splits.Pair
) -> None:
    """What holds a piece of it is corrupted, or says something else; a rest of a word may stay
    where the other half is taken for the name by itself."""
    rule = ("corrupt", names)
    async with make_rig(rule, rewriter=rewriter, encoder=ENCODER, models=MODELS) as rig:
        for first, second in NAME_CUTS.values():
            answer = await rig.client.post(route, json=demo(pair(first, second)))
            assert answer.status_code == 200, answer.text
    assert len(rig.vllm.requests) == len(NAME_CUTS)
    for sent in rig.vllm.requests:
        assert not [piece for piece in ("Ilse", "Varnholt") if piece in str(sent)]


async def test_what_only_the_models_template_puts_side_by_side_is_found(
    make_rig: RigMaker,
) -> None:
    """One that shows what the developer says before the last turn of the user's."""
    templates = {"demo": family_template("mistral")}
    begun = (splits.user("Hi."), splits.assistant("Yes?"))
    async with make_rig(("block", PhraseList([PHRASE])), templates=templates) as rig:
        for first, second in CUTS.values():
            said: JsonObject = {"role": "system", "content": first}
            answer = await rig.client.post(
                CHAT, json=demo(splits.body(said, *begun, splits.user(second)))
            )
            assert answer.status_code == 400
    assert rig.vllm.requests == []
