"""What a process knows, and shares with others."""

import pytest

from guard.observability.metrics import Metrics
from guard.recognition.known import KnownTexts, shares
from guard.settings import Settings
from guard.terms.errors import ConfigError
from guard.wire.fields import FieldRules
from guard.wire.protocols import CHAT
from tests.redis_server import RedisServer

VARIABLE = "ECOGUARD_RECOGNITION_KEY"


def settings(redis: RedisServer | None = None, **more: object) -> Settings:
    sections: dict[str, object] = {"upstream": {"url": "http://127.0.0.1:9"}}
    if redis:
        sections["redis"] = {"url": redis.url, "timeout_s": 5, **more}
    return Settings.model_validate(sections)


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "s" * 32)


HISTORY = [{"role": "assistant", "content": "Yes."}, {"role": "user", "content": "Why?"}]
CALL = CHAT.parse({"model": "m", "messages": HISTORY}, FieldRules(), None)


@pytest.mark.usefixtures("secret")
async def test_an_answer_of_one_replica_is_known_to_the_other(redis: RedisServer) -> None:
    one, other = (KnownTexts.open(settings(redis), Metrics()) for _ in range(2))
    one.answers.keep("key", [("text", "Yes.")])
    await one.close()  # all of it is written

    assert await other.answers.known_fields(CALL, "key", ()) == {("messages", 0, "content")}
    assert await other.answers.known_fields(CALL, "else", ()) == set()
    redis.flush()  # from now on it knows by itself
    assert await other.answers.known_fields(CALL, "key", ()) == {("messages", 0, "content")}
    await other.close()


async def test_without_a_secret_nothing_is_shared(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    known = KnownTexts.open(settings(redis), Metrics())
    assert known.shared is None
    assert known.scores is None
    with pytest.raises(ConfigError, match=r"redis\.shared_scores: .* is not set: scores need it"):
        shares(settings(redis, shared_scores=True))
    assert not shares(settings())
    await known.close()


@pytest.mark.usefixtures("secret")
async def test_scores_are_shared_where_the_operator_wants_it(redis: RedisServer) -> None:
    assert not shares(settings())
    for wanted in (False, True):
        known = KnownTexts.open(settings(redis, shared_scores=wanted), Metrics())
        assert (known.scores is not None) is wanted
        await known.close()
