"""Configuration: what is accepted, and errors that name file and key."""

from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from guard.settings import Rates, Route, Settings, load, secret
from guard.terms.errors import ConfigError
from guard.wire.protocols import make_protocols
from guard.wire.responses.store import ResponseStore

MINIMAL = {"upstream": {"url": "http://127.0.0.1:8000"}}
PHRASES = {"kind": "phrases", "phrases": ["launch code"]}
POLICY = {"name": "stop", "detector": "phrases", "action": "block"}


def written(folder: Path, content: Any) -> Path:
    file = folder / "guard.yaml"
    file.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return file


def test_minimal_file_listens_on_loopback(tmp_path: Path) -> None:
    settings = load(written(tmp_path, MINIMAL), {})

    assert (settings.listen.host, settings.listen.port) == ("127.0.0.1", 8080)
    assert not settings.may_corrupt


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    content = {
        **MINIMAL,
        "models": {"demo": {"path": "models/demo"}},
        "encoder": {"path": "encoder"},
        "detectors": {"people": {"kind": "artifact", "path": "../people"}},
    }

    settings = load(written(tmp_path, content), {})

    assert settings.models["demo"].path == tmp_path / "models/demo"
    assert settings.encoder is not None
    assert settings.encoder.path == tmp_path / "encoder"
    assert settings.detectors["people"].path == tmp_path / "../people"  # type: ignore[union-attr]


def test_a_store_is_a_file_beside_the_configuration(tmp_path: Path) -> None:
    settings = load(written(tmp_path, {**MINIMAL, "store": {}}), {})

    assert settings.store is not None
    assert settings.store.url == f"sqlite:///{tmp_path}/traffic.db"
    assert settings.store.audit.enabled
    assert not settings.store.capture.enabled


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://guard@db.example.com:5432/traffic?sslmode=verify-full",
        "postgresql://guard@/traffic?host=/run/postgresql",
        "sqlite:////var/lib/ecoguard/traffic.db",
    ],
)
def test_absolute_stores_stay_where_they_are(tmp_path: Path, url: str) -> None:
    settings = load(written(tmp_path, {**MINIMAL, "store": {"url": url}}), {})

    assert settings.store is not None
    assert settings.store.url == url


def test_environment_overrides_addresses(tmp_path: Path) -> None:
    environment = {"ECOGUARD_UPSTREAM_URL": "http://vllm:8000", "ECOGUARD_LISTEN_PORT": "9"}

    settings = load(written(tmp_path, MINIMAL), environment)

    assert (settings.upstream.url, settings.listen.port) == ("http://vllm:8000", 9)


def test_an_address_in_the_environment_stands_for_all_servers(tmp_path: Path) -> None:
    content = {"upstream": {"urls": ["http://a:8000", "http://b:8000"]}}
    environment = {"ECOGUARD_UPSTREAM_URL": "http://vllm:8000"}

    assert load(written(tmp_path, content), {}).upstream.servers == (
        "http://a:8000",
        "http://b:8000",
    )
    assert load(written(tmp_path, content), environment).upstream.servers == ("http://vllm:8000",)


def test_certificates_are_relative_to_the_file(tmp_path: Path) -> None:
    content = {
        "listen": {"tls": {"cert": "tls/guard.pem", "client_ca": "tls/ca.pem"}},
        "upstream": {"url": "https://vllm", "tls": {"ca": "tls/ca.pem"}},
    }

    settings = load(written(tmp_path, content), {})

    assert settings.listen.tls is not None
    assert settings.listen.tls.cert == tmp_path / "tls/guard.pem"
    assert settings.listen.tls.key is None
    assert settings.listen.tls.client_ca == tmp_path / "tls/ca.pem"
    assert settings.upstream.tls.ca == tmp_path / "tls/ca.pem"


def test_a_policy_in_shadow_corrupts_nothing_and_needs_no_model(tmp_path: Path) -> None:
    policy = {**POLICY, "action": "corrupt", "shadow": True}
    content = {**MINIMAL, "detectors": {"phrases": PHRASES}, "policies": [policy]}

    settings = load(written(tmp_path, content), {})

    assert settings.policies[0].shadow
    assert not settings.may_corrupt


def test_policies_may_be_for_every_route_that_is_served() -> None:
    assert set(get_args(Route)) == set(make_protocols(ResponseStore()))


KEY = {"name": "shop", "sha256": "ab" * 32}


def test_keys_may_come_from_a_file_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "keys.yaml").write_text(yaml.safe_dump([{**KEY, "name": "secret"}]))
    content = {**MINIMAL, "keys": [KEY], "keys_file": "keys.yaml", "listen": {"host": "0.0.0.0"}}

    settings = load(written(tmp_path, content), {})

    assert [key.name for key in settings.keys] == ["shop", "secret"]


def test_the_environment_may_name_the_file_of_keys(tmp_path: Path) -> None:
    file = tmp_path / "mounted"
    file.write_text(yaml.safe_dump([KEY]))

    settings = load(written(tmp_path, MINIMAL), {"ECOGUARD_KEYS_FILE": str(file)})

    assert [key.name for key in settings.keys] == ["shop"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ([{**KEY, "sha256": "x"}], "keys.yaml:2: shop.sha256: must be the SHA-256"),
        ({"a": 1}, "keys.yaml: must be a list"),
        ([KEY, {**KEY}], "keys.yaml:3: keys.shop.name: the name 'shop' is used twice (see "),
        (None, "keys.yaml: No such file"),
    ],
)
def test_a_broken_file_of_keys_is_named(tmp_path: Path, content: Any, told: str) -> None:
    if content is not None:
        (tmp_path / "keys.yaml").write_text(yaml.safe_dump(content))

    with pytest.raises(ConfigError) as caught:
        load(written(tmp_path, {**MINIMAL, "keys_file": "keys.yaml"}), {})

    assert told in str(caught.value)
    assert "abab" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("upstream:\n  url: http://x\n  uri: 1\n", "guard.yaml:3: upstream.uri: no such key"),
        ("listen:\n  port: 8\n\nupstream:\n  url: ftp://x\n", "guard.yaml:5: upstream.url"),
        ("upstream:\n  connect_s: 0\n", "guard.yaml:2: upstream.connect_s: must be more than 0"),
        (
            "upstream: {url: 'http://x'}\npolicies:\n- name: a\n  detector: b\n  action: block\n",
            "guard.yaml:4: policies.a.detector: no detector 'b'",
        ),
        ("upstream:\n  url: http://x\nlisten:\n  host: 0.0.0.0\n", "guard.yaml: keys: without"),
        ("a: 1\n b: [\n", "guard.yaml:2: not YAML"),
    ],
)
def test_errors_name_the_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(written(tmp_path, text), {})

    assert told in str(caught.value)


def test_a_keys_own_limits_stand_over_those_of_all() -> None:
    own = Rates(tokens_per_minute=5)

    assert own.over(Rates(requests_per_minute=1, tokens_per_minute=9)) == Rates(
        requests_per_minute=1, tokens_per_minute=5
    )


BROKEN: list[tuple[str, Any, str]] = [
    ("not yaml", "a: [", "guard.yaml"),
    ("not a mapping", "- 1", "top level must be a mapping"),
    ("no upstream", {}, "upstream: is missing"),
    ("unknown key", {**MINIMAL, "upstreams": 1}, "upstreams: no such key; did you mean"),
    (
        "url and urls",
        {"upstream": {"url": "http://x", "urls": ["http://y"]}},
        "upstream.url: name one server",
    ),
    ("no url", {"upstream": {}}, "upstream.url: name one server"),
    (
        "key without certificate",
        {"upstream": {"url": "https://x", "tls": {"key": "k.pem"}}},
        "upstream.tls.key: a key",
    ),
    (
        "corrupt without the model's folder",
        {
            **MINIMAL,
            "models": {"demo": {"upstreams": ["http://x"]}},
            "detectors": {"phrases": PHRASES},
            "policies": [{**POLICY, "action": "corrupt"}],
        },
        "models.demo.path: is missing: stop corrupts",
    ),
    (
        "all embedded, and sent early",
        {
            "upstream": {"url": "http://x", "send_early": True},
            "corruption": {"embed_all": True},
        },
        "corruption.embed_all: upstream.send_early",
    ),
    (
        "canary without keys",
        {
            **MINIMAL,
            "detectors": {
                "a": {"kind": "artifact", "path": "a", "canary": {"path": "b", "share": 0.1}}
            },
        },
        "detectors.a.canary: there are no keys",
    ),
    ("unknown inner key", {"upstream": {"url": "http://x", "uri": 1}}, "upstream.uri: no such key"),
    (
        "version in the address",
        {"upstream": {"urls": ["http://a", "http://b/v1/"]}},
        "upstream.urls.1: must not end with /v1",
    ),
    ("bad url", {"upstream": {"url": "ftp://x"}}, "upstream.url"),
    ("url with query", {"upstream": {"url": "http://x/?a"}}, "upstream.url"),
    ("bad kind", {**MINIMAL, "detectors": {"a": {"kind": "magic"}}}, "detectors.a"),
    ("no such detector", {**MINIMAL, "policies": [POLICY]}, "no detector 'phrases'"),
    (
        "policy twice",
        {**MINIMAL, "detectors": {"phrases": PHRASES}, "policies": [POLICY, POLICY]},
        "'stop' is used twice",
    ),
    (
        "corrupt without model",
        {
            **MINIMAL,
            "detectors": {"phrases": PHRASES},
            "policies": [{**POLICY, "action": "corrupt"}],
        },
        "models: is missing: stop corrupts",
    ),
    (
        "policy for a key that is not there",
        {
            **MINIMAL,
            "detectors": {"phrases": PHRASES},
            "policies": [{**POLICY, "when": {"keys": ["shop"]}}],
        },
        "policies.stop.when.keys.0: no key 'shop'",
    ),
    (
        "policy for a model that is not there",
        {
            **MINIMAL,
            "detectors": {"phrases": PHRASES},
            "policies": [{**POLICY, "when": {"models": ["big"]}}],
        },
        "policies.stop.when.models.0: no model 'big'",
    ),
    (
        "policy for a route that is not there",
        {
            **MINIMAL,
            "detectors": {"phrases": PHRASES},
            "policies": [{**POLICY, "when": {"routes": ["/v1/chat"]}}],
        },
        "policies.stop.when.routes.0: must be",
    ),
    (
        "policy for nothing",
        {
            **MINIMAL,
            "detectors": {"phrases": PHRASES},
            "policies": [{**POLICY, "when": {"keys": []}}],
        },
        "policies.stop.when.keys",
    ),
    ("open to the network", {**MINIMAL, "listen": {"host": "0.0.0.0"}}, "loopback only"),
    ("check without key", {**MINIMAL, "check": {"enabled": True}}, "scope 'check'"),
    ("other database", {**MINIMAL, "store": {"url": "mysql://db/x"}}, "store.url"),
    (
        "password in the url",
        {**MINIMAL, "store": {"url": "postgresql://guard:hunter2@db/x"}},
        "store.url",
    ),
    (
        "password in the url's options",
        {**MINIMAL, "store": {"url": "postgresql://guard@db/x?password=hunter2"}},
        "no secrets here",
    ),
    (
        "excluded key",
        {**MINIMAL, "store": {"capture": {"exclude_keys": ["shop"]}}},
        "exclude_keys.0: no key 'shop'",
    ),
    (
        "threshold",
        {**MINIMAL, "policies": [{**POLICY, "threshold": 2}]},
        "policies.stop.threshold: must be at most 1, or must be",
    ),
    ("plain key", {**MINIMAL, "keys": [{"name": "a", "sha256": "hunter2"}]}, "keys.a.sha256"),
]


@pytest.mark.parametrize(
    ("content", "expected"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN]
)
def test_errors_name_file_and_key(tmp_path: Path, content: Any, expected: str) -> None:
    file = written(tmp_path, content)

    with pytest.raises(ConfigError) as caught:
        load(file, {})

    message = str(caught.value)
    assert message.startswith(str(file))
    assert expected in message
    assert "hunter2" not in message


def test_missing_file_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing\.yaml"):
        load(tmp_path / "nothing.yaml", {})


def test_secret_comes_from_the_environment_only() -> None:
    assert secret("A_KEY", {"A_KEY": "value"}) == "value"
    with pytest.raises(ConfigError, match=r"A_KEY is not set"):
        secret("A_KEY", {})


def test_settings_are_frozen() -> None:
    settings = Settings.model_validate(MINIMAL)

    with pytest.raises(ValueError, match="frozen"):
        settings.limits = settings.limits  # type: ignore[misc]


@pytest.mark.parametrize(
    ("chosen", "embed_all", "early"),
    [(None, False, True), (None, True, False), (True, False, True), (False, False, False)],
)
def test_prompts_are_sent_early_unless_told_otherwise(
    chosen: bool | None, embed_all: bool, early: bool
) -> None:
    upstream = {"url": "http://x"} | ({} if chosen is None else {"send_early": chosen})
    settings = Settings.model_validate(
        {"upstream": upstream, "corruption": {"embed_all": embed_all}}
    )
    assert settings.sends_early is early


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"mode": "hold"}, r"policies\.stop\.mode: is for answers"),
        ({"side": "answer", "action": "corrupt"}, r"policies\.stop\.action: prompts are corrupted"),
        ({"action": "redact"}, r"policies\.stop\.action: is for answers"),
        (
            {"side": "answer", "action": "replace", "mode": "tail"},
            r"policies\.stop\.mode: an answer is replaced as a whole",
        ),
        ({"side": "answer", "authors": ["user"]}, r"policies\.stop\.authors: the assistant writes"),
    ],
)
def test_a_rule_of_one_side_cannot_ask_for_the_others(
    tmp_path: Path, said: dict[str, Any], problem: str
) -> None:
    content = {**MINIMAL, "detectors": {"phrases": PHRASES}, "policies": [{**POLICY, **said}]}
    with pytest.raises(ConfigError, match=problem):
        load(written(tmp_path, content), {})


def test_a_policy_may_judge_answers(tmp_path: Path) -> None:
    policy = {**POLICY, "side": "answer", "mode": "tail", "authors": ["assistant"]}
    content = {**MINIMAL, "detectors": {"phrases": PHRASES}, "policies": [policy]}
    loaded = load(written(tmp_path, {**content, "answers": {"structured": "{}"}}), {})

    assert (loaded.policies[0].side, loaded.policies[0].mode) == ("answer", "tail")


def test_the_fallback_of_a_structured_answer_is_json(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"answers\.structured: .*no JSON"):
        load(written(tmp_path, {**MINIMAL, "answers": {"structured": "{"}}), {})
