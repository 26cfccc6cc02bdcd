"""Every vector by name: the ways past a guard that are known of other products, and our own finds.

`prompts`, `settings`, `translated`: a text where a guard may not look; `media`: what it cannot
read; `shapes`: bytes with two readings, and disguises; `controls`: callers who switch a guard off.
Vectors that need more than one request body (paths, sockets, leaks) have tests of their own.
"""

from tests.e2e.bypass.vectors import controls, media, prompts, settings, shapes, translated
from tests.e2e.bypass.vectors.vector import Vector

ALL: tuple[Vector, ...] = (
    *prompts.VECTORS,
    *settings.VECTORS,
    *translated.VECTORS,
    *media.VECTORS,
    *shapes.VECTORS,
    *controls.VECTORS,
)
