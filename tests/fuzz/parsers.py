"""Coverage-guided fuzzing of the parsers: bytes in, a call or a RequestError out, nothing else.

    pip install atheris
    python -m tests.fuzz.parsers -atheris_runs=50000

Half of the inputs are whole bodies; the others fill the fields of a valid one.
"""

import sys
from collections.abc import Mapping

import orjson

from guard.screening.cutting.pieces import joined_pieces, own_pieces
from guard.screening.views.view import ViewLimits
from guard.terms.errors import RequestError
from guard.terms.json import JsonObject
from guard.wire.fields import FieldRules
from guard.wire.json_body import BodyLimits, parse_body
from guard.wire.pictures import base64_bytes, pictures_of
from guard.wire.protocol import WireProtocol
from guard.wire.protocols import make_protocols
from guard.wire.responses.store import ResponseStore

PROTOCOLS: Mapping[str, WireProtocol] = make_protocols(ResponseStore())
ROUTES = sorted(PROTOCOLS)
RULES = (
    FieldRules(may_corrupt=True, pictures=True),
    FieldRules(drop_unknown=False, media_unscreened=True),
)
LIMITS = BodyLimits(max_bytes=1 << 16)


def spell(ids: list[int]) -> str:
    """A stand-in for the model's tokenizer."""
    return "".join(chr(token % 0xD800) for token in ids)


def screen_one(data: bytes) -> None:
    """One input's whole way up to what detectors read; raises only for a fault of ours."""
    if len(data) < 2:
        return
    protocol = PROTOCOLS[ROUTES[data[0] % len(ROUTES)]]
    rules = RULES[data[1] % 2]
    try:
        body = parse_body(_framed(data[2:], data[1]), None, LIMITS)
        call = protocol.parse({**body, "model": "m"}, rules, spell)
        for picture in pictures_of(call.body) if rules.pictures else ():
            base64_bytes(picture.url)
    except RequestError:
        return
    limits = ViewLimits(max_characters=20_000)
    own_pieces(call.items, limits)
    joined_pieces(call.items, limits)


def _framed(data: bytes, shape: int) -> bytes:
    """The bytes as a body, or as the text of one."""
    if shape & 2:
        return data
    text = data.decode("utf-8", "ignore")
    message = {"role": "user", "content": text}
    body: JsonObject = {"messages": [message], "prompt": text, "input": text, "max_tokens": 5}
    kept = {"messages", "max_tokens"} if shape & 4 else {"prompt"} if shape & 8 else {"input"}
    return orjson.dumps({name: value for name, value in body.items() if name in kept})


def main() -> None:
    """Fuzz until the runs are done or a fault is found."""
    import atheris

    atheris.instrument_all()
    atheris.Setup(sys.argv, screen_one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
