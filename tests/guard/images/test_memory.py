from guard.images.memory import OVERHEAD, PictureMemory, Seen
from guard.terms.item import Picture


def picture(size: int, text: str = "") -> Seen:
    return Seen(Picture("image/png", bytes(size), 1, 1), text)


def test_a_picture_is_found_again_by_its_own_key_only() -> None:
    memory = PictureMemory(10_000)
    memory.keep(memory.place("a", b"x"), picture(1))
    assert memory.get(memory.place("a", b"x")) == picture(1)
    assert memory.get(memory.place("b", b"x")) is None
    assert memory.get(memory.place("a", b"y")) is None


def test_whoever_was_asked_for_last_stays() -> None:
    memory = PictureMemory(3 * (OVERHEAD + 100))
    for place in (b"a", b"b", b"c"):
        memory.keep(place, picture(100))
    memory.get(b"a")
    memory.keep(b"d", picture(100))
    assert [memory.get(place) is not None for place in (b"a", b"b", b"c", b"d")] == [
        True,
        False,
        True,
        True,
    ]


def test_what_does_not_fit_displaces_nothing() -> None:
    memory = PictureMemory(1000)
    memory.keep(b"a", picture(100))
    memory.keep(b"b", picture(1000))
    memory.keep(b"c", picture(1, "x" * 300))
    assert memory.get(b"c") is None
    assert memory.get(b"a") is not None
    assert memory.get(b"b") is None
