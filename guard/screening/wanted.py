"""What a reading must know before it can go on."""

from collections.abc import Sequence

from guard.terms.detector import Detector
from guard.terms.item import Content


class WantedError(Exception):
    """A detector that waits for a server is to be asked for `contents`, known by their `names`."""

    def __init__(
        self, detector: Detector, kind: str, names: Sequence[str], contents: Sequence[Content]
    ) -> None:
        super().__init__(kind)
        self.detector = detector
        self.kind = kind
        self.names = tuple(names)
        self.contents = tuple(contents)
