"""Does everything that the proxy depends on answer as it must? `ecoguard check --online`.

Asks each model server, the database, Redis, and the servers of encoder and detectors once, as the
proxy would, and changes nothing anywhere.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NamedTuple

from guard.corruption.rewriting import Rewriter
from guard.gateway.loading import Resources
from guard.limits.shared import SharedLimits, SharedLimitsError
from guard.observability.metrics import Metrics
from guard.settings import Redis, Settings, Store
from guard.settings.store import SQLITE
from guard.store.journal import make_store
from guard.terms.conversation import LastTurn
from guard.terms.detector import Detector, Encoder
from guard.terms.errors import DetectorError, StoreError, UpstreamError
from guard.upstream.client import Upstream
from guard.upstream.faults import CAUSES
from guard.upstream.health import Condition
from guard.wire.json_body import serialise

COMPLETIONS = "/v1/completions"
TEXT = "Is anybody there?"


class Outcome(NamedTuple):
    """What one dependency answered: `fault` is what is wrong, "" where nothing is."""

    subject: str
    fault: str = ""
    advice: str = ""
    note: str = ""

    def __str__(self) -> str:
        if not self.fault:
            return f"ok     {self.subject}" + (f": {self.note}" if self.note else "")
        return f"FAULT  {self.subject}: {self.fault}" + (f"; {self.advice}" if self.advice else "")


def run_checks(settings: Settings, resources: Resources, tell: Callable[[Outcome], None]) -> bool:
    """Give `tell` each outcome as it comes in; whether none is a fault. Blocking."""

    async def run() -> bool:
        well = True
        async for outcome in check_online(settings, resources):
            tell(outcome)
            well = well and not outcome.fault
        return well

    return asyncio.run(run())


async def check_online(settings: Settings, resources: Resources) -> AsyncIterator[Outcome]:
    """What each dependency of a deployment answers, one after the other."""
    upstream = Upstream(
        settings.upstream,
        resources.upstream_key,
        Metrics(),
        models=settings.models,
        tls=resources.upstream_tls,
    )
    try:
        conditions = await upstream.conditions()
        for backend, condition in zip(upstream.backends, conditions, strict=True):
            yield _of_server(backend.label, condition)
            for outcome in _of_contexts(settings, resources.rewriter, condition):
                yield outcome
        if resources.rewriter:
            served = {name for condition in conditions for name in condition.models}
            for name in resources.rewriter.models:
                if name in served:
                    yield await _of_embeddings(upstream, resources.rewriter, name)
    finally:
        await upstream.close()
    if resources.encoder:
        yield await _of_encoder(resources.encoder)
    for name, detector in resources.detectors.items():
        if detector.waits and not detector.members:
            yield await _of_detector(name, detector)
    if settings.store:
        yield await asyncio.to_thread(_of_store, settings.store)
    if settings.redis:
        yield await _of_redis(settings.redis)


def _of_server(label: str, condition: Condition) -> Outcome:
    subject = f"model server {label}"
    if condition.cause:
        said, advice = CAUSES[condition.cause]
        lacking = ", ".join(condition.missing)
        return Outcome(subject, f"{said}: {lacking}" if lacking else said, advice)
    shown = (f"{name} ({most or '?'} tokens)" for name, most in sorted(condition.models.items()))
    return Outcome(subject, note=f"takes our key, serves {', '.join(shown)}")


def _of_contexts(
    settings: Settings, rewriter: Rewriter | None, condition: Condition
) -> list[Outcome]:
    """A longer context than the server's would let prompts through that it refuses."""
    outcomes = []
    for name, most in condition.models.items():
        model = settings.models.get(name)
        here = model.context_tokens if model else None
        if here is None and rewriter:
            here = rewriter.models.get(name)
        if most and here and here > most:
            fault = f"{here} tokens here, {most} there"
            advice = f"set models.{name}.context_tokens to {most}"
            outcomes.append(Outcome(f"context of {name}", fault, advice))
    return outcomes


async def _of_embeddings(upstream: Upstream, rewriter: Rewriter, model: str) -> Outcome:
    """Whether the server reads a prompt that comes as embeddings."""
    subject = f"prompt embeddings for {model}"
    body = {"model": model, "max_tokens": 1, "prompt_embeds": rewriter.sample(model)}
    try:
        sent = upstream.send("POST", COMPLETIONS, body=serialise(body), model=model)
        async with sent as reply:
            answer = await reply.body()
    except UpstreamError as error:
        return Outcome(subject, error.message, "its own log says why")
    if reply.status == 200:
        return Outcome(subject)
    if b"enable-prompt-embeds" in answer or b"enable_prompt_embeds" in answer:
        return Outcome(subject, "are switched off", "start vLLM with --enable-prompt-embeds")
    advice = f"is models.{model}.path the folder of the model that is served?"
    return Outcome(subject, f"refused with status {reply.status}", advice)


async def _of_encoder(encoder: Encoder) -> Outcome:
    try:
        await asyncio.to_thread(encoder.encode, [TEXT])
    except DetectorError as error:
        return Outcome("encoder", str(error), "see encoder.url and encoder.api_key_env")
    return Outcome("encoder", note="reads a text")


async def _of_detector(name: str, detector: Detector) -> Outcome:
    """Whether a detector's server scores a text."""
    subject = f"detector {name}"
    try:
        async with asyncio.timeout(detector.timeout_s):
            await detector.ask([LastTurn(TEXT, ()) if detector.turns_before else TEXT])
    except (DetectorError, TimeoutError) as error:
        said = f"{error.cause}: {error}" if isinstance(error, DetectorError) else "late"
        return Outcome(subject, said, "see docs/guides/bring-your-own.md")
    finally:
        await detector.disconnect()
    return Outcome(subject, note="scores a text")


def _of_store(settings: Store) -> Outcome:
    file = Path(settings.url.removeprefix(SQLITE))
    if settings.url.startswith(SQLITE) and not file.exists():
        return Outcome("store", note=f"{file} will be made at the start")
    store = make_store(settings)
    try:
        found = store.status()
    except StoreError as error:
        return Outcome("store", str(error))
    finally:
        store.close()
    waits = not (settings.auto_upgrade or settings.url.startswith(SQLITE))
    if found.revision != found.head and waits:
        fault = f"its tables are at revision {found.revision or 'none'}, not {found.head}"
        return Outcome("store", fault, "ecoguard store upgrade")
    return Outcome("store", note=f"{found.audit_rows} audit rows, {found.prompts} prompts")


async def _of_redis(settings: Redis) -> Outcome:
    limits = SharedLimits(settings)
    try:
        await limits.ping()
    except SharedLimitsError as error:
        return Outcome("redis", f"does not answer ({error})", "see redis.url and redis.timeout_s")
    finally:
        await limits.close()
    return Outcome("redis", note="answers")
