"""Ray's session: its errors say what is wrong, and it ends with the block."""

import pytest

from classifiers.runs.ray_session import ray_session
from guard.terms.errors import ConfigError


def test_an_address_without_a_ray_is_named() -> None:
    with pytest.raises(ConfigError, match="ray: nowhere"), ray_session("nowhere"):
        pass
