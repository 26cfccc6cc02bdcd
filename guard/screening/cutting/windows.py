"""Windows of long texts: what an encoder can read at once.

Second step of screening, after `guard.screening.views`. An encoder reads a few hundred tokens, so a
long text is scored in overlapping windows; sizes are in characters, which is fast and close
enough (about four per token in English). Windows over several texts: `seams`.
"""

USER_ROLES = frozenset({"user"})


def cut(text: str, size: int = 800, overlap: int = 200) -> tuple[str, ...]:
    """The windows of `text`, in order, each at most `size` characters.

    Every substring of at most `overlap` characters lies whole inside one window. Windows start
    and end at white space where there is some nearby, else anywhere. A short text is its own
    window; there are at most 1 + 2 * len(text) / (size - overlap). Raises ValueError unless
    0 <= overlap <= size / 2 and size >= 8.
    """
    return tuple(text[start:end] for start, end in bounds(text, size, overlap))


def bounds(text: str, size: int, overlap: int) -> list[tuple[int, int]]:
    """Where the windows of `cut` start and end; ValueError as there."""
    if size < 8 or not 0 <= overlap * 2 <= size:
        raise ValueError(f"overlap must be at most half of size, not {overlap} of {size}")
    slack = (size - overlap) // 4  # how far a cut may move to reach white space
    bounds: list[tuple[int, int]] = []
    start = 0
    while len(text) - start > size:
        end = _space_before(text, start + size, slack)
        bounds.append((start, end))
        start = _space_before(text, end - overlap, slack)
    bounds.append((start, len(text)))
    return bounds


def _space_before(text: str, position: int, slack: int) -> int:
    """The nearest place after white space in the `slack` characters before `position`."""
    for place in range(position, max(position - slack, 0), -1):
        if text[place - 1].isspace():
            return place
    return position
