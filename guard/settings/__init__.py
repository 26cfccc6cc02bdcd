"""The configuration: one YAML file, typed, frozen, unknown keys refused.

Secrets never stand in the file: it names the environment variables that hold them.
"""

from guard.settings.answers import Answers
from guard.settings.configuration import LOOPBACK, Settings
from guard.settings.detectors import (
    ArtifactDetector,
    Canary,
    CredentialsDetector,
    DetectorSection,
    DetectorSource,
    ForgetRequestsDetector,
    InstructionsDetector,
    JointDetector,
    PersonalDataDetector,
    PhraseDetector,
    RemoteDetector,
    VerbatimDetector,
)
from guard.settings.extras import require_extra, require_extras
from guard.settings.keys import Key
from guard.settings.loading import configured_secret, load, placing, secret
from guard.settings.observability import Logs, Tracing
from guard.settings.policies import AskIf, Policy, Release, Route, When
from guard.settings.recognition import Proposals, Recognition, Trust
from guard.settings.redis import Redis
from guard.settings.redis_options import redis_options
from guard.settings.schema import schema_text
from guard.settings.sections import (
    NO_LIMITS,
    AnchoredPath,
    Check,
    CorruptionChoice,
    Cors,
    DeviceName,
    EncoderSource,
    Fields,
    Images,
    Limits,
    Listen,
    ListenTls,
    Name,
    Rates,
    Refusal,
    Seconds,
    Section,
    Threshold,
    VariableName,
)
from guard.settings.store import Audit, Capture, Store
from guard.settings.upstream import Model, Upstream, UpstreamTls

__all__ = [
    "LOOPBACK",
    "NO_LIMITS",
    "AnchoredPath",
    "Answers",
    "ArtifactDetector",
    "AskIf",
    "Audit",
    "Canary",
    "Capture",
    "Check",
    "CorruptionChoice",
    "Cors",
    "CredentialsDetector",
    "DetectorSection",
    "DetectorSource",
    "DeviceName",
    "EncoderSource",
    "Fields",
    "ForgetRequestsDetector",
    "Images",
    "InstructionsDetector",
    "JointDetector",
    "Key",
    "Limits",
    "Listen",
    "ListenTls",
    "Logs",
    "Model",
    "Name",
    "PersonalDataDetector",
    "PhraseDetector",
    "Policy",
    "Proposals",
    "Rates",
    "Recognition",
    "Redis",
    "Refusal",
    "Release",
    "RemoteDetector",
    "Route",
    "Seconds",
    "Section",
    "Settings",
    "Store",
    "Threshold",
    "Tracing",
    "Trust",
    "Upstream",
    "UpstreamTls",
    "VariableName",
    "VerbatimDetector",
    "When",
    "configured_secret",
    "load",
    "placing",
    "redis_options",
    "require_extra",
    "require_extras",
    "schema_text",
    "secret",
]
