"""What an operator should know of a configuration that is right as far as it goes."""

from collections.abc import Iterator

from guard.gateway.sizing import cores, oversubscription
from guard.recognition.known import shares
from guard.settings import Settings


def remarks(settings: Settings, workers: int) -> list[str]:
    """What is said when it is checked, and when so many workers start with it."""
    return [*_of_policies(settings), *_of_sharing(settings), *_of_workers(settings, workers)]


def _of_policies(settings: Settings) -> Iterator[str]:
    if not settings.policies:
        yield "policies: none: every prompt goes to the model unscreened"
    elif all(policy.shadow for policy in settings.policies):
        yield "policies: all in shadow: they are counted, and change nothing"
    choice = settings.corruption
    chosen = choice.model_fields_set & {"path", "kind", "dims", "strength"}
    if settings.may_corrupt and not chosen:
        yield (
            f"corruption: chosen by nobody: {choice.kind} by default; `ecoguard-train corruption` "
            "compares it with others on your model, under attack"
        )


def _of_sharing(settings: Settings) -> Iterator[str]:
    if settings.redis and settings.recognition.answers and not shares(settings):
        yield (
            f"redis: limits are shared, answers are not: {settings.recognition.key_env} is not set"
        )


def _of_workers(settings: Settings, workers: int) -> Iterator[str]:
    if crowded := oversubscription(settings, workers, cores()):
        yield crowded
    if workers > 1:
        yield (
            "stored responses (previous_response_id), remembered scores and answers, and limits "
            "that are kept in memory are each worker's own"
        )
    if workers > 1 and settings.store and settings.store.url.startswith("sqlite"):
        yield "workers share one SQLite file: under load use PostgreSQL"
