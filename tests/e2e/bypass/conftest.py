"""The proxies under attack, shared by all bypass tests of a run."""

from collections.abc import Iterator

import pytest

from classifiers.model_server.vllm import VllmServer
from tests.e2e.bypass.rig import Background, Proxy, Rig


@pytest.fixture(scope="session")
def rig(vllm: VllmServer) -> Iterator[Rig]:
    """The recorder in front of vLLM, and proxies in front of the recorder."""
    with pytest.MonkeyPatch.context() as patch, Background() as background:
        patch.setenv("ECOGUARD_CORRUPTION_KEY", "a key for tests")
        yield Rig(background, vllm.url, vllm.model)


@pytest.fixture(scope="session")
def blocking_proxy(rig: Rig) -> Iterator[Proxy]:
    made = rig.proxy("block")
    with made.client:
        yield made


@pytest.fixture(scope="session")
def corrupting_proxy(rig: Rig) -> Iterator[Proxy]:
    made = rig.proxy("corrupt")
    with made.client:
        yield made


@pytest.fixture(scope="session")
def permissive_proxy(rig: Rig) -> Iterator[Proxy]:
    """Blocks, and carries media and several fields that are refused elsewhere."""
    allowed = ["chat_template", "chat_template_kwargs", "functions", "messages.tools", "vllm_xargs"]
    fields = {"allow": [*allowed, "kv_transfer_params"], "media": "allow_unscreened"}
    made = rig.proxy("block", fields=fields)
    with made.client:
        yield made


@pytest.fixture
def blocking(blocking_proxy: Proxy) -> Proxy:
    """A proxy that blocks the canary, its record empty."""
    blocking_proxy.forget()
    return blocking_proxy


@pytest.fixture
def corrupting(corrupting_proxy: Proxy) -> Proxy:
    """A proxy that corrupts the canary, its record empty."""
    corrupting_proxy.forget()
    return corrupting_proxy


@pytest.fixture
def permissive(permissive_proxy: Proxy) -> Proxy:
    """As `blocking`, with much allowed."""
    permissive_proxy.forget()
    return permissive_proxy
