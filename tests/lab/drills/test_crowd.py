"""The drill with a hostile caller: its bounds, and one small round of it."""

from pathlib import Path

import aiohttp
import pytest

from guard.settings import Settings
from lab.drills.crowd import CALLERS, HOSTILE, MOST_MEMORY, Crowd, Figures, sections
from lab.drills.rig import configuration, staged


def test_the_drills_configuration_is_one() -> None:
    content = {**configuration(["http://127.0.0.1:1"], 0), **sections(Path("artifact"), 1000)}
    settings = Settings.model_validate(content)

    assert [key.name for key in settings.keys] == [*CALLERS, HOSTILE]
    assert settings.limits.screening_tokens == 1000


@pytest.mark.parametrize(
    ("figures", "faults"),
    [
        (Figures(alone=[10, 10], beside=[9, 8]), 0),
        (Figures(alone=[10, 10], beside=[9, 6]), 1),
        (Figures(alone=[1], beside=[1], delays={"log": 0.4}, afterwards={"log": 0.1}), 0),
        (Figures(alone=[1], beside=[1], delays={"log": 0.6}, afterwards={"log": 0.2}), 2),
        (Figures(alone=[1], beside=[1], memory={"log": MOST_MEMORY + 1}), 1),
        (Figures(alone=[1], beside=[1], drills={"full": {"screening_overloaded": 9, "ok": 1}}), 0),
        (Figures(alone=[1], beside=[1], drills={"full": {"content_filter": 1}}), 1),
        (Figures(alone=[1], beside=[1], drills={"full": {"lost TimeoutError": 1}}), 1),
    ],
)
def test_a_bound_that_is_not_kept_is_named(figures: Figures, faults: int) -> None:
    assert len(figures.faults) == faults


async def test_a_hostile_caller_leaves_chats_alone_through_reloads(tmp_path: Path) -> None:
    """Without a model: one detector of phrases, which may read anything."""
    with_phrases = {
        **sections(Path("none"), 1000),
        "detectors": {"malicious": {"kind": "phrases", "phrases": ["never said"]}},
    }
    with staged(tmp_path, with_phrases) as rig:
        async with aiohttp.ClientSession(rig.proxy.url) as session:
            crowd = Crowd(rig, session, seconds=0.2)
            counts = await crowd.besides([crowd.text("mixed", 50_000)])
            outcomes = await crowd.chats(4, lambda: rig.proxy.send_signal(1))

    assert len(counts) == len(CALLERS)
    assert outcomes == {"ok": 4 * len(CALLERS)}
