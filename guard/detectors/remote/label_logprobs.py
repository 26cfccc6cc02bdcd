"""A guard model that generates its verdict: the probability of its words, at their place.

A word by itself says only which side of one half the model is on. The log-probabilities of the
words' first tokens say how sure it is: a score that can be calibrated, like any other.
"""

import hashlib
from collections.abc import Mapping, Sequence
from math import exp

import orjson

from guard.detectors.remote.failures import RemoteError
from guard.detectors.remote.presets import Preset
from guard.detectors.remote.question import Api, Question, check_model, read_answer
from guard.detectors.remote.servers import Servers
from guard.detectors.remote.verdict_tokens import (
    ChatAnswer,
    CompletionAnswer,
    Step,
    Tokenised,
    chat_steps,
    completion_steps,
)
from guard.settings import RemoteDetector
from guard.terms.json import JsonObject

CHAT, COMPLETIONS, TOKENIZE = "/v1/chat/completions", "/v1/completions", "/tokenize"
MOST_TOP = 20
SMALLEST_MASS = 1e-12


class LabelLogprobs(Api):
    """Scores a text by the share of the bad words in the probability of all words."""

    reads_question = True

    def __init__(self, settings: RemoteDetector, servers: Servers, preset: Preset) -> None:
        self._model = settings.model
        self._servers = servers
        self._preset = preset
        self._exact = settings.logprobs == "exact"
        self._least_mass = settings.least_mass
        self._ids: Mapping[str, int] | None = None
        self.sides = preset.sides
        wanted = settings.input
        self.reads_conversation = preset.conversation if wanted is None else wanted != "text"
        self.identity: Mapping[str, object] = {
            "api": settings.api,
            "model": settings.model,
            "preset": digest_of(preset),
            "logprobs": settings.logprobs,
            "conversation": self.reads_conversation,
        }

    async def scores(self, questions: Sequence[Question]) -> list[float]:
        """As `Api.scores`; one question."""
        words = await self._words()
        body = {**self._asking(words), **self._prompted(questions[0])}
        if self._preset.route == "completions":
            completed = read_answer(CompletionAnswer, await self._servers.post(COMPLETIONS, body))
            check_model(self._model, completed.model)
            steps = completion_steps(completed)
        else:
            chatted = read_answer(ChatAnswer, await self._servers.post(CHAT, body))
            check_model(self._model, chatted.model)
            steps = chat_steps(chatted)
        try:
            return [self._verdict(steps, words)]
        except RemoteError:
            self._ids = None  # of a model that has been replaced
            raise

    def _asking(self, words: Mapping[str, str]) -> JsonObject:
        """What every request says of how the verdict is to be generated and told."""
        asking: JsonObject = {
            "model": self._model,
            "max_tokens": self._preset.within,
            "temperature": 0,
        }
        is_chat = self._preset.route == "chat"
        if self._exact:
            asking["logprob_token_ids"] = [int(word.partition(":")[2]) for word in words]
            asking["return_tokens_as_token_ids"] = True
            asking["logprobs"] = True if is_chat else 1
        elif is_chat:
            asking |= {"logprobs": True, "top_logprobs": MOST_TOP}
        else:
            asking["logprobs"] = MOST_TOP
        if is_chat and self._preset.template_kwargs:
            asking["chat_template_kwargs"] = self._preset.template_kwargs
        if is_chat and self._preset.prefix:
            asking |= {"add_generation_prompt": False, "continue_final_message": True}
        return asking

    def _prompted(self, question: Question) -> JsonObject:
        """The preset's messages, or its prompt, with the texts in them."""
        preset = self._preset
        template = preset.prompt if question.side == "prompt" else preset.answer
        said = [
            {"role": each.role, "content": preset.filled(each, question.text, question.asked)}
            for each in template
        ]
        if preset.route == "completions":
            return {"prompt": said[0]["content"] + preset.prefix}
        if self.reads_conversation:
            start = next((i for i, each in enumerate(said) if each["role"] != "system"), len(said))
            said[start:start] = self._earlier(question)
        if preset.prefix:
            said.append({"role": "assistant", "content": preset.prefix})
        return {"messages": said}

    def _earlier(self, question: Question) -> list[dict[str, str]]:
        """What was said before what the template holds already."""
        before = list(question.before)
        if question.side == "answer":
            last = max((i for i, turn in enumerate(before) if turn.role == "user"), default=None)
            before = before[:last]
        return [{"role": turn.role, "content": self._preset.broken(turn.text)} for turn in before]

    def _verdict(self, steps: Sequence[Step], words: Mapping[str, str]) -> float:
        """The score at the first place where a verdict may stand and the words have enough
        probability."""
        written, has_place = "", False
        for step in steps:
            if "".join(written.split()) == "".join(self._preset.after.split()):
                has_place = True
                bad, good = _mass(step, words, "unsafe"), _mass(step, words, "safe")
                if bad + good >= max(self._least_mass, SMALLEST_MASS):
                    return min(1.0, bad / (bad + good))
            written += step.text
        if has_place:
            raise RemoteError("low_mass", "the model wanted to say something else than a verdict")
        raise RemoteError("off_format", "no verdict where one must stand")

    async def _words(self) -> Mapping[str, str]:
        """By the word that an answer names a token by, the verdict that it is the first token of.

        Raises RemoteError where tokens cannot be told apart.
        """
        preset = self._preset
        verdicts = dict.fromkeys(preset.unsafe, "unsafe") | dict.fromkeys(preset.safe, "safe")
        if not self._exact:
            return {word.strip(): verdict for word, verdict in verdicts.items()}
        if self._ids is None:
            self._ids = {word: await self._first_token(word) for word in verdicts}
        named: dict[str, str] = {}
        for word, verdict in verdicts.items():
            token = f"token_id:{self._ids[word]}"
            if named.setdefault(token, verdict) != verdict:
                self._ids = None
                raise RemoteError("other_model", "both verdicts begin with the same token")
        return named

    async def _first_token(self, word: str) -> int:
        body: JsonObject = {"model": self._model, "prompt": word, "add_special_tokens": False}
        tokens = read_answer(Tokenised, await self._servers.post(TOKENIZE, body)).tokens
        if not tokens:
            raise RemoteError("unreadable", "a word without a token")
        return tokens[0]


def _mass(step: Step, words: Mapping[str, str], verdict: str) -> float:
    """The probability of the words of one verdict."""
    own = (word for word, said in words.items() if said == verdict)
    return sum(exp(step.logprobs[word]) for word in own if word in step.logprobs)


def digest_of(preset: Preset) -> str:
    """SHA-256 of what a preset says that decides scores."""
    decides = preset.model_dump(mode="json", exclude={"models", "licence", "source"})
    decides["sides"] = sorted(preset.sides)
    return hashlib.sha256(orjson.dumps(decides, option=orjson.OPT_SORT_KEYS)).hexdigest()
