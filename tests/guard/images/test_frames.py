from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.images.frames import HEAD, Frame, FrameError, pack, read, said_in, sizes

SAID = st.dictionaries(st.text(), st.integers(-9, 9) | st.text() | st.none())


@given(st.lists(st.tuples(SAID, st.binary())))
def test_what_is_packed_is_read(frames: list[tuple[dict[str, object], bytes]]) -> None:
    stream = BytesIO(b"".join(pack(said, data) for said, data in frames))
    assert [read(stream.read) for _ in frames] == [Frame(*each) for each in frames]
    assert read(stream.read) is None


def test_what_is_too_long_is_not_waited_for() -> None:
    with pytest.raises(FrameError):
        sizes(HEAD.pack(1 << 31, 0))


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"\xff"])
def test_other_answers_are_none(text: bytes) -> None:
    with pytest.raises(FrameError):
        said_in(text)
