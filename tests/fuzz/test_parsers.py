"""The parsers' fuzz target on inputs of hypothesis' making."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.parsers import screen_one


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_bytes_become_a_call_or_an_error(data: bytes) -> None:
    screen_one(data)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(range(16)), st.integers(0, 15), st.text(max_size=200))
def test_texts_become_a_call_or_an_error(route: int, shape: int, text: str) -> None:
    screen_one(bytes([route, shape]) + text.encode("utf-8", "surrogatepass"))
