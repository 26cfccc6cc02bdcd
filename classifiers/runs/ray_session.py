"""A connection to Ray: its own on this machine, or a cluster's."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from guard.settings import require_extra
from guard.terms.errors import ConfigError, about

LOCAL = "local"
"""The address of a Ray of our own on this machine."""


@contextmanager
def ray_session(address: str = LOCAL) -> Iterator[int]:
    """Inside the block Ray is there; gives the number of its CPU cores.

    `address` is `local`, `auto` or a cluster's. Where a Ray was started for it, it ends with the
    block. ConfigError where Ray is not installed or not there.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # sends nothing home
    with about("ray"):
        require_extra("ray")
    import ray

    own = {"include_dashboard": False} if address == LOCAL else {}
    try:
        ray.init(address, log_to_driver=False, configure_logging=False, **own)
    except (ConnectionError, OSError, RuntimeError, ValueError) as error:
        raise ConfigError(f"ray: {address}: {type(error).__name__}") from error
    try:
        yield max(1, int(ray.cluster_resources().get("CPU", 1)))
    finally:
        ray.shutdown()
