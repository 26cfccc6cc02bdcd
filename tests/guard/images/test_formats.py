import pytest

from guard.images.formats import MEDIA_TYPES, format_of
from tests.guard.images.pictures import plain


@pytest.mark.parametrize("name", MEDIA_TYPES)
def test_the_first_bytes_say_it(name: str) -> None:
    assert format_of(plain(name)) == name


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89PNG",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"BM" + bytes(30),
        b"II*\0" + bytes(30),
        b"%PDF-1.7",
        b"RIFF\0\0\0\0WAVE",
        b" " + plain(),
    ],
)
def test_other_formats_are_not_taken(data: bytes) -> None:
    assert format_of(data) is None
