"""Rewrites a call so that flagged texts reach the model as corrupted embeddings, nothing else."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from guard.corruption.functions import Corruption
from guard.corruption.learned import LearnedCorruption, tokens_of
from guard.corruption.prompt_embedder import PromptEmbedder, PromptEmbeds
from guard.corruption.settings_hidden import NamesIn, hide
from guard.corruption.spread import spread
from guard.settings import Settings, secret
from guard.terms.errors import about
from guard.terms.item import Call
from guard.terms.item import Path as BodyPath
from guard.terms.json import JsonObject
from guard.terms.verdict import Action, CharRange, Verdict
from guard.wire.call import replace_at

GENERATING = frozenset({"/v1/chat/completions", "/v1/completions"})
"""The upstream's routes whose answers are words; they read embeddings."""

# vLLM refuses what is longer than its own limit; this bounds our work where nobody tells us it.
UNKNOWN_CONTEXT = 1 << 17


class Rewriter:
    """Holds the embedders of all models, and the one corruption they apply.

    With `embeds_all` every text that could be corrupted goes as embeddings, flagged or not.
    `names_in` tells which texts hold names. With `names_only` a text that was flagged for a name is
    corrupted in the words that could be names; in all words where none is found in it, or where
    one would be left.
    """

    def __init__(
        self,
        embedders: Mapping[str, PromptEmbedder],
        corruption: Corruption,
        *,
        key: bytes,
        embeds_all: bool = False,
        names_in: NamesIn | None = None,
        names_only: bool = False,
    ) -> None:
        self._names_in = names_in
        self._names_only = names_only
        self._key = key
        self._embedders = embedders
        self._corruption = corruption
        self._embeds_all = embeds_all

    def can_rewrite(self, call: Call) -> bool:
        """Whether flagged texts of a call can be replaced: where nothing is generated, by texts."""
        return call.upstream_path not in GENERATING or call.model in self._embedders

    @property
    def models(self) -> dict[str, int]:
        """The models whose prompts can be corrupted, and the longest prompt of each, in tokens."""
        return {name: embedder.max_tokens for name, embedder in self._embedders.items()}

    def sample(self, model: str) -> str:
        """A short prompt of a model as embeddings, unchanged: what a server is tried with."""
        return self._embedders[model].embed_prompt("Hello", "", None).data

    def embeds_unflagged(self, call: Call) -> bool:
        """Whether a call goes as embeddings though nothing of it is flagged."""
        if not self._embeds_all or call.model not in self._embedders:
            return False
        return any(item.corruptible and item.text for item in call.items)

    def rewrite(self, call: Call, verdict: Verdict) -> tuple[JsonObject, int]:
        """The body with its items replaced, and how many tokens were corrupted.

        Others are the model's own rows where `embeds_all` says so.

        The forget set that seeds an item's noise is the detector that flagged it. Of a long text
        the verdict's passages alone are corrupted, if it has any.

        Raises RequestError for a text that is longer than the model's context.
        """
        asked = _forget_sets(verdict)
        call = call.with_body(hide(call, call.body, asked, self._key, self._names_in))
        if call.upstream_path not in GENERATING:
            return call.body, 0
        embedder = self._embedders[call.model]
        flagged = spread(call, {i: name for i, name in asked.items() if call.items[i].corruptible})
        if call.protocol == "completions":
            return self._rewrite_prompts(call, embedder, flagged, verdict.passages)
        body, tokens = call.body, 0
        narrow = self._narrow(call, embedder, asked, flagged)
        for index, item in enumerate(call.items):
            if index in flagged:
                embeds = embedder.embed_text(
                    item.text,
                    flagged[index],
                    self._corruption,
                    corrupted=verdict.passages.get(index),
                    names_only=index in narrow,
                )
                tokens += embeds.tokens
            elif self._embeds_all and item.corruptible and embedder.count_tokens(item.text):
                embeds = embedder.embed_text(item.text, "", None)
            else:
                continue
            part = embeds_part(embeds)
            is_whole_content = item.path[-1] == "content"
            body = replace_at(body, item.path, [part] if is_whole_content else part)
        return body, tokens

    def _rewrite_prompts(
        self,
        call: Call,
        embedder: PromptEmbedder,
        flagged: Mapping[int, str],
        passages: Mapping[int, Sequence[CharRange]],
    ) -> tuple[JsonObject, int]:
        """All prompts as embeddings, so that the answers keep their order.

        The unflagged ones are the model's own rows, bit for bit.
        """
        embeds: list[PromptEmbeds] = []
        tokens = 0
        narrow = self._narrow(call, embedder, flagged, flagged)
        for index, item in enumerate(call.items):
            if item.path[0] != "prompt":
                continue
            corruption = self._corruption if index in flagged else None
            specials = _adds_special_tokens(call, item.path)
            made = embedder.embed_prompt(
                item.text,
                flagged.get(index, ""),
                corruption,
                add_special_tokens=specials,
                corrupted=passages.get(index),
                names_only=index in narrow,
            )
            embeds.append(made)
            tokens += made.tokens if corruption else 0
        data = [made.data for made in embeds]
        body = {name: value for name, value in call.body.items() if name != "prompt"}
        # A single prompt, be it text or token ids, has a path of one step.
        body["prompt_embeds"] = data[0] if call.items[0].path == ("prompt",) else data
        return body, tokens

    def _narrow(
        self,
        call: Call,
        embedder: PromptEmbedder,
        asked: Mapping[int, str],
        flagged: Mapping[int, str],
    ) -> frozenset[int]:
        """The flagged items of which names alone are corrupted. What goes on with a flagged text
        is corrupted as that is."""
        if self._names_in is None or not self._names_only:
            return frozenset()
        said = {i: name for i, name in asked.items() if call.items[i].corruptible}
        named = {i for i, name in said.items() if self._names_in(name, call.items[i].text)}
        # What was flagged for its meaning has no name to stop at, nor has what goes on with it.
        beside = flagged.keys() - said.keys() if named == said.keys() else set()
        return frozenset(
            index
            for index in named | beside
            if not self._names_in(flagged[index], embedder.ordinary_text(call.items[index].text))
        )


def embeds_part(embeds: PromptEmbeds) -> JsonObject:
    """The chat content part that stands in for a text."""
    return {"type": "prompt_embeds", "data": embeds.data}


def open_rewriter(settings: Settings, names_in: NamesIn | None = None) -> Rewriter:
    """Open every model's table; raises ConfigError or ArtifactError naming what is wrong."""
    choice = settings.corruption
    with about("corruption", *(["path"] if choice.path else [])):
        learned = LearnedCorruption.load(choice.path) if choice.path else None
        stated = learned.corruption if learned else None
        corruption = stated or Corruption(choice.kind, choice.dims, choice.strength)
    with about("corruption", "key_env"):
        key = secret(choice.key_env).encode()
    embedders = {}
    for name, model in settings.models.items():
        if model.path is None:
            continue
        limit = model.context_tokens or _context_tokens(model.path)
        with about("models", name, "path"):
            embedders[name] = PromptEmbedder.open(model.path, key=key, max_tokens=limit)
        with about("corruption", "path" if choice.path else "dims"):
            corruption.check_width(embedders[name].table.width)
            if learned:
                learned.check_table(embedders[name].table)
    return Rewriter(
        embedders,
        corruption,
        key=key,
        embeds_all=choice.embed_all,
        names_in=names_in,
        names_only=tokens_of(settings, learned) == "names",
    )


def _forget_sets(verdict: Verdict) -> dict[int, str]:
    """By item index, the detector whose forget set the item belongs to; the first one wins."""
    found: dict[int, str] = {}
    for finding in verdict.findings:
        if finding.action is Action.CORRUPT:
            for index in finding.items:
                found.setdefault(index, finding.detector.partition("@")[0])  # a canary's too
    return found


def _adds_special_tokens(call: Call, path: BodyPath) -> bool:
    """Token-id prompts hold their special tokens already; texts get them unless told otherwise."""
    prompt = call.body["prompt"]
    if isinstance(prompt, list):
        prompt = prompt[path[1]] if len(path) > 1 and isinstance(path[1], int) else None
    return isinstance(prompt, str) and call.body.get("add_special_tokens", True) is not False


def _context_tokens(folder: Path) -> int:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return int(config["max_position_embeddings"])
    except (OSError, ValueError, KeyError, TypeError):
        return UNKNOWN_CONTEXT
