"""The section `policies`: ordered rules, and which requests each is for."""

from typing import Annotated, Literal

from pydantic import Field

from guard.settings.sections import Name, Section, Threshold

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


class When(Section):
    """The requests a policy is for: all, or those with one of these keys, routes and models."""

    keys: Annotated[tuple[Name, ...], Field(min_length=1)] | None = None
    routes: Annotated[tuple[Route, ...], Field(min_length=1)] | None = None
    models: Annotated[tuple[str, ...], Field(min_length=1)] | None = None


class Policy(Section):
    """One rule: what to do when a detector's score reaches the threshold, or when it fails.

    In `shadow` it scores and is counted, and its findings change nothing.
    """

    name: Name
    detector: Name
    when: When = When()
    threshold: Threshold | Literal["from_artifact"] = "from_artifact"
    action: Literal["allow", "flag", "corrupt", "block"]
    on_error: Literal["allow", "flag", "block"] = "block"
    refusal: Literal["error", "message"] | None = None
    shadow: bool = False
