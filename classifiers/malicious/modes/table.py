"""All modes by name, in the order of the reports. A new one is a file and a line here."""

from collections.abc import Mapping
from typing import Any

from classifiers.malicious.modes.contrastive import Contrastive
from classifiers.malicious.modes.fine_tuned import FineTuned
from classifiers.malicious.modes.mode import Mode
from classifiers.malicious.modes.supervised import Supervised
from classifiers.malicious.modes.svd import Svd

_IN_ORDER: tuple[Mode[Any], ...] = (
    Svd(),
    Contrastive(),
    Supervised(),
    FineTuned(),
)
MODES: Mapping[str, Mode[Any]] = {mode.name: mode for mode in _IN_ORDER}
DEFAULT = Contrastive.name
