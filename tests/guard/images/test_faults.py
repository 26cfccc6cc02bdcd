import pytest

from guard.images.faults import MESSAGES, TOO_LARGE, request_error

LIMITS = {"count": 1, "bytes": 2, "pixels": 3, "frames": 4}


@pytest.mark.parametrize("fault", MESSAGES)
def test_every_fault_names_the_picture_and_the_field(fault: str) -> None:
    error = request_error(fault, 2, "messages.0.content.1", LIMITS)
    assert error.message.startswith("Picture 2 of the request ")
    assert "{" not in error.message
    assert (error.status, error.param) == (400, "messages.0.content.1")
    assert error.code == ("image_too_large" if fault in TOO_LARGE else "image_invalid")
