"""The sections `recognition` and `trust`: texts that are known, and whose others are."""

from typing import Annotated, Literal

from pydantic import Field

from guard.settings.sections import AnchoredPath, Section, VariableName

DAY_S = 24 * 3600


class Trust(Section):
    """Whose words a key's texts are; what a key does not say, the section `trust` says for all."""

    developer_text: Literal["trusted", "user"] | None = None
    """Whose words system and developer messages, tools, schemas and other settings are: the
    application's (`trusted`, where nothing is said), or, where the holder of the key is the end
    user, the `user`'s: then they are judged like what the user asks."""
    tools_from: Literal["developer", "third_party"] | None = None
    """Where tool definitions come from: the application's `developer` (where nothing is said), or
    servers of others: then they are `third_party` text."""

    def over(self, others: "Trust") -> "Trust":
        """This trust, and where nothing is said that of `others`."""
        return others.model_copy(update=self.model_dump(exclude_none=True))


class Proposals(Section):
    """System prompts that many requests of a key have had, for the operator to pin."""

    file: AnchoredPath
    """The file that gets a line for each: its hash, the key, counts; no text."""
    after: Annotated[int, Field(ge=1)] = 50
    """After so many requests of one key, passed on by one process, a prompt is proposed."""


class Recognition(Section):
    """Texts that are known: keyed hashes of them are kept, never a text."""

    key_env: VariableName = "ECOGUARD_RECOGNITION_KEY"
    """The variable with the secret of the hashes, 16 characters at least and the same on all
    replicas. Where it is not set, each process draws a secret of its own and shares nothing."""
    answers: bool = True
    """Recognise answers that the guard has let out itself when they come back as the assistant's
    turns. Those that are not recognised are the user's words."""
    answer_parts: Annotated[int, Field(ge=1, le=10_000_000)] = 100_000
    """Most texts and tool calls of answers that a process remembers, some 200 bytes each."""
    answers_s: Annotated[float, Field(gt=0, le=365 * DAY_S)] = 7 * DAY_S
    """Seconds that they are remembered, counted from the last time they were seen."""
    prompts: AnchoredPath | None = None
    """The file of pinned system prompts, which are judged as attacks no more: what `ecoguard
    prompts pin` writes. It is read again with every reload."""
    proposals: Proposals | None = None
    """Learn from traffic which system prompts could be pinned."""
