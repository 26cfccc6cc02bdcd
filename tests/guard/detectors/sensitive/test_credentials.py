"""Credentials by their form, and where they stand."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.detectors.sensitive.credentials import Credentials

LETTERS = (string.ascii_letters + string.digits) * 2
KEYS = {
    "AWS": "AKIA" + "ABCDEFGH12345678",
    "GitHub": "ghp_" + LETTERS[:36],
    "GitHub, fine-grained": "github_pat_" + LETTERS[:60],
    "GitLab": "glpat-" + LETTERS[:20],
    "Slack": "xoxb-" + "123456789012-" + LETTERS[:24].lower(),
    "Stripe": "sk_live_" + LETTERS[:24],
    "OpenAI": "sk-proj-" + LETTERS[:40],
    "Anthropic": "sk-ant-api03-" + LETTERS[:40],
    "Hugging Face": "hf_" + LETTERS[:34],
    "Google": "AIza" + LETTERS[:35],
    "SendGrid": "SG." + LETTERS[:22] + "." + LETTERS[:43],
}
HARMLESS = (
    "How do I keep an API key out of a repository?",
    "sk-learn, hf_hub and AKIA are words; so is glpat-.",
    "commit 3f786850e387550fdab836ed7e6dc881de23001b",
    "550e8400-e29b-41d4-a716-446655440000",
    "Put `Authorization: Bearer $TOKEN` into the header.",
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    "",
)
PRIVATE_KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nAKCA\n-----END RSA PRIVATE KEY-----"


@pytest.fixture(scope="module")
def detector() -> Credentials:
    return Credentials()


@pytest.mark.parametrize("service", KEYS)
def test_a_key_is_found_where_it_stands(detector: Credentials, service: str) -> None:
    text = f"The key is {KEYS[service]}, keep it."

    assert detector.score([text]).tolist() == [1.0]
    assert {text[start:end] for start, end in detector.spans(text)} == {KEYS[service]}


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_like_one_is_none(detector: Credentials, text: str) -> None:
    assert detector.score([text]).tolist() == [0.0]
    assert detector.spans(text) == ()


def test_of_an_address_the_password_alone(detector: Credentials) -> None:
    text = "postgresql://shop:hunter2@db.example/shop"

    assert [text[start:end] for start, end in detector.spans(text)] == ["hunter2"]


@given(st.integers(len("-----BEGIN RSA PRIVATE KEY-----"), len(PRIVATE_KEY)))
def test_of_a_private_key_all_that_is_there(cut: int) -> None:
    text = f"Here: {PRIVATE_KEY[:cut]}"

    (span,) = Credentials().spans(text)

    assert text[slice(*span)] == PRIVATE_KEY[:cut]


def test_what_stands_behind_a_private_key_is_none_of_it(detector: Credentials) -> None:
    text = f"{PRIVATE_KEY} and {PRIVATE_KEY}, both."

    assert [text[start:end] for start, end in detector.spans(text)] == [PRIVATE_KEY] * 2
