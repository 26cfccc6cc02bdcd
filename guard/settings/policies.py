"""The section `policies`: ordered rules, and which requests each is for."""

from typing import Annotated, Literal

from pydantic import Field

from guard.settings.sections import Name, Section, Threshold
from guard.terms.item import Author, Side

# A mistyped route would make a rule that never applies: only these words are taken. A test compares
# them with the routes that are served.
Route = Literal[
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/responses",
    "/v1/messages",
    "/v1/messages/count_tokens",
    "/v1/embeddings",
    "/tokenize",
    "/detokenize",
]


Release = Literal["hold", "tail", "whole"]
"""When an answer's text goes to the client: judged with a window behind it, at once, or once all of
it was judged."""


class When(Section):
    """The requests a policy is for: all, or those with one of these keys, routes and models."""

    keys: Annotated[tuple[Name, ...], Field(min_length=1)] | None = None
    """Names of API keys."""
    routes: Annotated[tuple[Route, ...], Field(min_length=1)] | None = None
    """Routes."""
    models: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """Names under `models`."""


class AskIf(Section):
    """When a policy's detector is asked at all: a cheap detector decides about a dear one."""

    policy: Name
    """Another policy of the same side, which judges first."""
    score: Threshold
    """Its detector's score from which on this one's is asked; also where it could not judge."""


class Policy(Section):
    """One rule: what to do when a detector's score reaches the threshold, or when it fails.

    It judges the texts of its `authors`: the application (`developer`), its `user`, the model
    (`assistant`), and whoever a tool or a document quotes (`third_party`). Where nothing is said,
    detectors of malicious prompts judge all but the developer's, others everybody's. In `shadow` it
    scores and is counted, and its findings change nothing.
    """

    name: Name
    """The rule's name, in metrics, audit rows and traces."""
    detector: Name
    """Whose scores it judges."""
    when: When = When()
    """Which requests it is for; without it all."""
    ask_if: AskIf | None = None
    """Ask its detector only where another policy's score gives reason; without it always. What it
    would have found elsewhere passes."""
    authors: Annotated[tuple[Author, ...], Field(min_length=1)] | None = None
    """Whose texts it judges; where nothing is said the detector's own choice."""
    threshold: Threshold | Literal["from_artifact"] = "from_artifact"
    """A number in [0, 1], or the detector's own."""
    action: Literal["allow", "flag", "redact", "corrupt", "replace", "block"]
    """What is done when it fires; the most severe of all rules wins. Of answers, what was found is
    taken out (`redact`), or the model is asked again with the question corrupted (`replace`)."""
    on_error: Literal["allow", "flag", "block"] = "block"
    """What is done when the detector fails, is too slow or has no room. `block`: the request is not
    passed on and is answered 503 with a code of its own, never as if something had been found."""
    on_cost: Literal["refuse", "pass_unread"] = "refuse"
    """What is done with a request of which the detector would have to read more than
    `limits.screening_tokens`. `refuse`: it is answered 413 with the code
    `screening_budget_exceeded`. `pass_unread`: what is new and what third parties wrote is read
    first, as far as that goes; the rest is passed on unread, and counted."""
    pictures: Literal["drop", "blank"] | None = None
    """What becomes of a picture where nothing but its text made the rule fire, instead of blocking
    the request: a note stands in its place (`drop`), or white of the same size (`blank`)."""
    refusal: Literal["error", "message"] | None = None
    """The form of refusal for what this rule blocks; otherwise `refusal.form`."""
    shadow: bool = False
    """Score and count, change nothing."""
    side: Side = "prompt"
    """What it judges: `prompt`, what the model reads, or `answer`, what it says."""
    mode: Release | None = None
    """Of a rule for answers: `hold` (where nothing is said) releases text once it was judged with a
    window behind it; `tail` at once, and stops within a window; `whole` once all was judged. The
    strictest mode of all rules for an answer counts."""
