"""Scores that replicas share: numbers by keyed hash, sealed, so that Redis cannot make up one."""

import struct
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from hmac import compare_digest
from math import isfinite

from guard.recognition.digests import Digester
from guard.recognition.shared import SharedMemory

SEAL_BYTES = 8
Numbers = tuple[float, ...]


class SharedScores:
    """Numbers by the hash of what they are of; `digester` has the deployment's secret."""

    def __init__(self, memory: SharedMemory, digester: Digester, seconds: float) -> None:
        self.digester = digester
        self._memory = memory
        self._seconds = seconds

    def find(self, places: Sequence[bytes]) -> dict[bytes, Numbers]:
        """What is known of places; blocking, for as long as Redis may take."""
        found = {}
        for place, value in self._memory.find("score", places).items():
            numbers = self._opened(place, value)
            if numbers is not None:
                found[place] = numbers
        return found

    def keep(self, entries: Mapping[bytes, Numbers]) -> None:
        """Let others know; waits for nothing."""
        sealed = {place: self._sealed(place, numbers) for place, numbers in entries.items()}
        self._memory.keep("score", sealed, self._seconds)

    def _sealed(self, place: bytes, numbers: Numbers) -> bytes:
        packed = struct.pack(f"<{len(numbers)}d", *numbers)
        return self._seal(place, packed) + packed

    def _opened(self, place: bytes, value: bytes) -> Numbers | None:
        """The numbers in a value; None where somebody else has written it."""
        seal, packed = value[:SEAL_BYTES], value[SEAL_BYTES:]
        if len(packed) % 8 or not compare_digest(seal, self._seal(place, packed)):
            return None
        numbers: Numbers = struct.unpack(f"<{len(packed) // 8}d", packed)
        return numbers if all(map(isfinite, numbers)) else None

    def _seal(self, place: bytes, packed: bytes) -> bytes:
        return blake2b(
            place + packed, key=self.digester.key, digest_size=SEAL_BYTES, person=b"seal"
        ).digest()
