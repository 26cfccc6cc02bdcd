"""A set that forgets."""

from guard.recognition.recent import RecentDigests
from tests.fakes import Clock


def test_what_was_not_seen_for_long_is_forgotten() -> None:
    clock = Clock()
    recent = RecentDigests(10, 60, clock)
    recent.add([b"old", b"used"])
    clock.now = 50
    assert recent.find([b"used", b"never"]) == {b"used"}
    clock.now = 100
    assert recent.find([b"old", b"used"]) == {b"used"}


def test_the_oldest_makes_room() -> None:
    recent = RecentDigests(2, 60)
    recent.add([b"a", b"b"])
    recent.find([b"a"])
    recent.add([b"c"])
    assert recent.find([b"a", b"b", b"c"]) == {b"a", b"c"}
    assert len(recent) == 2
