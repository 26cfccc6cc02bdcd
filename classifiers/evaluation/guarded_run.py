"""What evaluations of a guarded model share: who is asked, and what their answers depend on."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifiers.evaluation.asking import Asked
from classifiers.evaluation.guarded_path import GuardedPath, model_name
from classifiers.evaluation.kept_answers import KeptAnswers
from classifiers.evaluation.live_proxy import live_proxy
from classifiers.model_server.endpoint import ModelEndpoint
from guard.corruption.functions import Corruption
from guard.corruption.learned import stated_corruption
from guard.detectors.kinds import read_digests
from guard.settings import Settings, load, secret

WORK = "answers"
"""Folder, inside the report's, of kept answers and the proxy's log."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an evaluation runs: the guard's configuration, its output, and who else is asked.

    `proxy` and `retain` are roots of servers; without a proxy one is started. API keys stand in
    the environment variables of these names.
    """

    config: Path
    out: Path
    model: str | None = None
    proxy: str | None = None
    proxy_key_env: str | None = None
    retain: str | None = None
    retain_key_env: str | None = None
    connections: int = 8


@dataclass(frozen=True, slots=True)
class Run:
    """The models of an evaluation and the guard's code in this process."""

    settings: Settings
    model: str
    path: GuardedPath
    direct: Asked
    proxy: Asked
    retain: Asked | None

    @property
    def corruption(self) -> Corruption:
        """The one that the configuration states or names the artifact of."""
        return stated_corruption(self.settings)


@contextmanager
def opened(place: Place, described: Mapping[str, Any], max_tokens: int) -> Iterator[Run]:
    """Everything an evaluation needs; what was started ends with the block.

    `described` is what the run's answers depend on beside configuration, artifacts and models: a
    folder with answers of another run is refused. Raises ConfigError, ArtifactError, ServerError.
    """
    settings = load(place.config)
    name = model_name(settings, place.model)
    path = GuardedPath.open(settings, name)
    upstream = settings.upstream
    with ExitStack() as stack:
        log = place.out / WORK / "proxy.log"
        proxy_url = stack.enter_context(live_proxy(place.config, place.proxy, log))
        direct = ModelEndpoint(
            upstream.servers[0],
            name,
            api_key=_key(upstream.api_key_env),
            connections=place.connections,
        )
        proxy = ModelEndpoint(
            proxy_url,
            name,
            api_key=_key(place.proxy_key_env),
            connections=place.connections,
        )
        retain = None
        if place.retain is not None:
            key = _key(place.retain_key_env)
            retain = ModelEndpoint(place.retain, api_key=key, connections=place.connections)
        run = {
            **described,
            "max_tokens": max_tokens,
            "guard": _guard_digest(settings),
            "embeddings": path.digest,
            "model": direct.served.root,
            "retain": retain.served.root if retain else None,
        }
        kept = KeptAnswers(place.out / WORK, run)
        stack.callback(kept.close)
        yield Run(
            settings,
            name,
            path,
            Asked(direct, "direct", kept, max_tokens),
            Asked(proxy, "proxy", kept, max_tokens),
            Asked(retain, "retain", kept, max_tokens) if retain else None,
        )


def _key(variable: str | None) -> str | None:
    return secret(variable) if variable is not None else None


def _guard_digest(settings: Settings) -> str:
    """A hash of what makes the guard's answers: policies, artifacts, corruption and its key."""
    digest = hashlib.sha256()
    corruption = stated_corruption(settings)
    for part in (settings.policies, settings.detectors, corruption, settings.fields):
        digest.update(repr(part).encode())
    digest.update(repr(sorted(read_digests(settings).items())).encode())
    digest.update(secret(settings.corruption.key_env).encode())
    return digest.hexdigest()
