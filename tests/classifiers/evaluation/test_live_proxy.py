"""The proxy of an evaluation: the one that runs, or a process of its own."""

from pathlib import Path

import httpx2
import pytest
import yaml

from classifiers.evaluation.live_proxy import live_proxy
from classifiers.model_server.process import ServerError
from tests.chat_server import chat_server


def test_a_running_proxy_is_left_alone(tmp_path: Path) -> None:
    with live_proxy(tmp_path / "none.yaml", "http://127.0.0.1:9", tmp_path / "log") as url:
        assert url == "http://127.0.0.1:9"
    assert not (tmp_path / "log").exists()


def test_one_is_started_and_ends(tmp_path: Path) -> None:
    with chat_server(tmp_path / "model", {"Who?": "Ada."}) as server:
        config = tmp_path / "guard.yaml"
        config.write_text(yaml.safe_dump({"upstream": {"url": server.url}}))
        with live_proxy(config, None, tmp_path / "logs" / "proxy.log") as url:
            body = {"model": "demo", "messages": [{"role": "user", "content": "Who?"}]}
            answer = httpx2.post(
                f"{url}/v1/chat/completions", json={**body, "max_tokens": 9}, trust_env=False
            )
            assert answer.json()["choices"][0]["message"]["content"] == "Ada."
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(url, trust_env=False)


def test_one_that_does_not_start_says_why(tmp_path: Path) -> None:
    config = tmp_path / "guard.yaml"
    config.write_text("upstream: {url: 7}")
    with (
        pytest.raises(ServerError, match=r"upstream\.url"),
        live_proxy(config, None, tmp_path / "proxy.log"),
    ):
        pass
