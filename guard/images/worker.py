"""`python -m guard.images.worker MEMORY_BYTES read|skip`: decodes pictures until its input ends,
and reads the text in them or does not.

It has no secrets in its environment, writes no file, and may be killed at any time.
"""

import resource
import sys
from collections.abc import Callable
from dataclasses import asdict

from guard.images.decoding import Bounds, rewrite
from guard.images.faults import PictureError
from guard.images.frames import Frame, pack, read
from guard.images.text import TextReader
from guard.terms.json import JsonObject

READS = "read"
ReadText = Callable[[bytes], str]
"""Says what is written in a picture's file."""


def bound(memory_bytes: int) -> None:
    """Take no more memory than that, and write nothing to disk."""
    for what, most in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def answer(frame: Frame, read_text: ReadText | None = None) -> bytes:
    """The answer to one picture: what it became and what is written in it, or what is wrong."""
    try:
        made = rewrite(frame.data, _bounds(frame.said))
    except PictureError as error:
        return pack({"fault": error.fault})
    said: JsonObject = {name: value for name, value in asdict(made).items() if name != "data"}
    try:
        said["text"] = read_text(made.data) if read_text else ""
    except Exception:  # nobody can say what is written there: no verdict, and no fault of it
        return pack({"unread": True})
    return pack(said, made.data)


def _bounds(said: JsonObject) -> Bounds:
    return Bounds(int(str(said["pixels"])), int(str(said["frames"])))


def main() -> None:
    """Answer frames on standard input."""
    from PIL import Image

    memory_bytes, reads = sys.argv[1:]
    bound(int(memory_bytes))
    Image.init()  # nothing is loaded later, when a picture asks for it
    read_text = TextReader().read if reads == READS else None
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while (frame := read(source.read)) is not None:
        sink.write(answer(frame, read_text))
        sink.flush()


if __name__ == "__main__":
    main()
