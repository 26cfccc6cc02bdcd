"""Where a configuration's values come from: its file, its keys' file, the environment."""

from pathlib import Path

import pytest

from guard.settings import load
from guard.settings.source import Source
from guard.terms.errors import ConfigError

TEXT = "upstream: {urls: ['http://a', 'http://b']}\nkeys_file: keys.yaml\nkeys:\n- {name: own}\n"


def source(folder: Path, environment: dict[str, str]) -> Source:
    (folder / "guard.yaml").write_text(TEXT)
    (folder / "keys.yaml").write_text(f"# ours\n- name: shop\n  sha256: {'ab' * 32}\n")
    return Source.read(folder / "guard.yaml", environment)


def test_keys_stand_where_they_were_written(tmp_path: Path) -> None:
    found = source(tmp_path, {})

    assert [key["name"] for key in found.content["keys"]] == ["own", "shop"]
    assert found.place(("keys", 0, "name")) == f"{tmp_path}/guard.yaml:4"
    assert found.place(("keys", 1, "sha256")) == f"{tmp_path}/keys.yaml:3"
    assert found.named(("keys", 1, "sha256")) == ("keys", "shop", "sha256")


def test_a_value_of_the_environment_stands_there(tmp_path: Path) -> None:
    found = source(tmp_path, {"ECOGUARD_UPSTREAM_URL": "http://c", "ECOGUARD_LISTEN_PORT": "x"})

    assert found.content["upstream"] == {"url": "http://c"}
    assert found.place(("upstream", "url")) == "ECOGUARD_UPSTREAM_URL"
    (tmp_path / "guard.yaml").write_text("{}")
    with pytest.raises(ConfigError, match=r"^ECOGUARD_LISTEN_PORT: listen.port: must be a whole"):
        load(tmp_path / "guard.yaml", {"ECOGUARD_LISTEN_PORT": "x"})


@pytest.mark.parametrize("text", ["upstream: 3\n", "upstream:\n", "keys: 3\n", "keys_file: [3]\n"])
def test_what_is_no_section_is_said_by_the_check_of_all(tmp_path: Path, text: str) -> None:
    (tmp_path / "guard.yaml").write_text(text)

    with pytest.raises(ConfigError, match=r"(guard\.yaml:1|URL): "):
        load(tmp_path / "guard.yaml", {"ECOGUARD_UPSTREAM_URL": "ftp://x"})
