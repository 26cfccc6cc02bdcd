"""What a configuration names on disk, read and verified."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

from guard.corruption.rewriting import Rewriter, open_rewriter
from guard.detectors.kinds import VersionsInService, load_canaries, load_detectors, read_digests
from guard.gateway.models.chat_templates import read_switches, read_templates
from guard.gateway.models.generation_config import read_sampling_defaults
from guard.gateway.models.model_tokenizers import ModelTokenizer, open_tokenizers
from guard.gateway.sizing import cores, pass_threads, workers_here
from guard.recognition.known import shares
from guard.recognition.prompts import NOTHING_PINNED, PinnedPrompts
from guard.rendering.chat_template import ChatTemplate
from guard.screening.canary import Canary
from guard.screening.policy import Policy
from guard.settings import Settings, configured_secret, require_extras
from guard.terms.detector import Detector, Encoder, Reader
from guard.terms.sampling_defaults import SamplingDefaults
from guard.upstream.certificates import client_context


@dataclass(frozen=True, slots=True)
class Resources:
    """What is read before the first request: artifacts, tables, tokenizers, secrets."""

    policies: tuple[Policy, ...]
    encoder: Encoder | None
    rewriter: Rewriter | None
    tokenizers: Mapping[str, ModelTokenizer]
    upstream_key: str | None
    artifacts: Mapping[str, str] = field(default_factory=dict)
    upstream_tls: ssl.SSLContext | None = None
    canaries: Mapping[str, Canary] = field(default_factory=dict)
    switches: Mapping[str, frozenset[str]] = field(default_factory=dict)
    templates: Mapping[str, ChatTemplate] = field(default_factory=dict)
    sampling: Mapping[str, SamplingDefaults] = field(default_factory=dict)
    detectors: Mapping[str, Detector] = field(default_factory=dict)
    pinned: PinnedPrompts = NOTHING_PINNED

    @property
    def models(self) -> tuple[Reader, ...]:
        """Everything that reads texts, to be closed when the resources are used no more: also the
        detectors that no policy asks, which are loaded and watched like the others."""
        asked = [policy.detector for policy in self.policies]
        detectors = {id(detector): detector for detector in (*asked, *self.detectors.values())}
        trials = [canary.detector for canary in self.canaries.values()]
        return (*([self.encoder] if self.encoder else []), *detectors.values(), *trials)


def load_resources(settings: Settings) -> Resources:
    """Read everything the settings name; blocking. Raises ConfigError or ArtifactError."""
    require_extras(settings)
    shares(settings)
    threads = pass_threads(settings, workers_here(), cores())
    encoder, detectors = load_detectors(settings, threads)

    def names_in(detector: str, text: str) -> bool:
        return detectors[detector].names_in(text)

    return Resources(
        policies=tuple(Policy.build(p, detectors[p.detector]) for p in settings.policies),
        encoder=encoder,
        rewriter=open_rewriter(settings, names_in) if settings.may_corrupt else None,
        tokenizers=open_tokenizers(settings.models),
        switches=read_switches(settings.models),
        templates=read_templates(settings.models),
        sampling=read_sampling_defaults(settings.models),
        pinned=PinnedPrompts.load(settings.recognition),
        upstream_key=configured_secret(settings.upstream.api_key_env, "upstream", "api_key_env"),
        artifacts=VersionsInService(read_digests(settings), detectors),
        upstream_tls=client_context(settings.upstream.tls),
        canaries={
            name: Canary(detector, digest, settings.canaries[name].share)
            for name, (detector, digest) in load_canaries(settings, encoder, threads).items()
        },
        detectors=detectors,
    )
