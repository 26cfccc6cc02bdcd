"""Errors raised after the file was read still name the file, the line and the key."""

from pathlib import Path

import pytest

from guard.settings import configured_secret, placing, secret
from guard.terms.errors import ArtifactError, ConfigError, KeyedError, about

TEXT = "upstream:\n  url: http://x\n  api_key_env: A_KEY\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "guard.yaml"
    file.write_text(TEXT)
    return file


def test_an_error_about_a_key_is_placed(file: Path) -> None:
    with pytest.raises(ArtifactError) as caught, placing(file), about("upstream", "url"):
        raise ArtifactError("artifact x: manifest.json: missing")

    told = f"{file}:2: upstream.url: artifact x: manifest.json: missing"
    assert str(caught.value) == told


def test_the_innermost_key_counts(file: Path) -> None:
    with pytest.raises(ConfigError) as caught, placing(file), about("upstream", "url"):
        configured_secret("A_KEY", "upstream", "api_key_env")

    told = f"{file}:3: upstream.api_key_env: the environment variable A_KEY is not set"
    assert str(caught.value) == told


def test_an_error_about_no_key_stays_as_it_is(file: Path) -> None:
    with pytest.raises(ConfigError) as caught, placing(file):
        secret("A_KEY")

    assert str(caught.value) == "the environment variable A_KEY is not set"


@pytest.mark.parametrize("text", [None, "a: ["])
def test_a_file_that_changed_meanwhile_is_named(file: Path, text: str | None) -> None:
    file.unlink() if text is None else file.write_text(text)

    with pytest.raises(KeyedError) as caught, placing(file), about("encoder", "path"):
        raise ConfigError("gone")

    assert str(caught.value) == f"{file}: encoder.path: gone"


def test_no_variable_is_no_secret() -> None:
    assert configured_secret(None, "upstream", "api_key_env") is None
