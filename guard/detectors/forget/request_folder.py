"""A folder of forget requests that is served while it changes: one artifact folder per request.

The folder is looked through every few seconds, in a thread of its own. What changed is read and
verified, a new `RequestSet` is built beside the one in service and put in its place in one step;
whoever judges a request takes one state (`current`) and keeps it to the end. A request whose
artifact cannot be read keeps its old state and is named in the log; one whose folder is gone is
withdrawn at the second look, since replacing a folder takes it away for a moment. A folder of
requests that cannot be listed at all (an unmounted volume) changes nothing.
"""

import logging
import os
import threading
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from guard.artifacts.file_signature import Signature, signature_of
from guard.artifacts.folder import read
from guard.artifacts.manifest import MANIFEST
from guard.detectors.context import Context
from guard.detectors.forget.detector import KIND
from guard.detectors.forget.requests import THRESHOLD, ForgetRequest, RequestSet
from guard.settings import ForgetRequestsDetector
from guard.terms.detector import Detector, Encoder, Features, Listener, Scores
from guard.terms.errors import ArtifactError, ConfigError

logger = logging.getLogger(__name__)

MAX_REQUEST_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class _Entry:
    """One folder as it was read last: its manifest's signature and the request made of it."""

    signature: Signature
    request: ForgetRequest


class RequestFolder(Detector):
    """The detector over a folder of request artifacts, by folder name; reloads by itself.

    `current` is safe to call from several threads; so is `refresh`, which the watching thread
    calls every `reload_s` seconds from the first use on.
    """

    threshold = THRESHOLD
    has_subjects = True
    reads_question = True
    finds_words = True
    changes = True

    def __init__(self, folder: Path, encoder: Encoder, *, reload_s: float = 5.0) -> None:
        """Read all requests. Raises ArtifactError for one that is not usable: at start-up there is
        no older state to go on with."""
        self.encoder = encoder.digest
        self._folder = folder
        self._digest, self._width = encoder.digest, encoder.width
        self._reload_s = reload_s
        self._lock = threading.Lock()
        self._listeners: list[Listener] = []
        self._missing: frozenset[str] = frozenset()
        self._broken: dict[str, str] = {}
        self._watcher: _Watcher | None = None
        self._telling = threading.Lock()
        self._retired = False
        found = self._list()
        self._entries = {name: self._read(name, found[name]) for name in sorted(found)}
        self._state = self._built()
        self.version = self._state.version

    def current(self) -> RequestSet:
        """The state in service. The first call in a process starts the watching thread."""
        watcher = self._watcher
        if watcher is None or watcher.process != os.getpid():  # threads do not survive a fork
            self._watch()
        return self._state

    def score(self, texts: Sequence[str], features: Features | None) -> Scores:
        """As the state in service scores."""
        return self.current().score(texts, features)

    def names_in(self, text: str) -> bool:
        """As the state in service finds names."""
        return self.current().names_in(text)

    def listen(self, listener: Listener) -> None:
        """Have `listener` told how many requests are in service and how many folders are broken,
        now and after each look. Starts the watching thread."""
        self.current()
        self._listeners.append(listener)
        listener(len(self._entries), len(self._broken))

    def refresh(self) -> bool:
        """Look through the folder once; whether the state in service changed. Blocking."""
        with self._lock:
            if self._retired:
                return False
            try:
                found = self._list()
            except ConfigError as error:
                if self._broken.get(".") != str(error):
                    logger.error("forget requests: %s; what is in service stays", error)
                self._broken["."] = str(error)
                self._tell()
                return False
            self._broken.pop(".", None)
            entries = self._after(found)
            changed = entries != self._entries
            if changed:
                self._entries = entries
                self._state = self._built()
                self.version = self._state.version
                logger.info("forget requests: %d in service", len(entries))
            self._tell()
            return changed

    def retire(self) -> None:
        """End the watching thread. Waits for no look that is under way; that one tells nobody."""
        with self._telling:
            self._retired = True
        if self._watcher is not None:
            self._watcher.end()

    def close(self) -> None:
        """As `retire`."""
        self.retire()

    def _after(self, found: Mapping[str, Signature | None]) -> dict[str, _Entry]:
        """The entries as they should be now that the folder holds what was `found`."""
        gone = self._entries.keys() - found.keys()
        entries = {
            name: entry
            for name, entry in self._entries.items()
            if name in found or name not in self._missing
        }
        for name in self._entries.keys() - entries.keys():
            logger.info("forget request %s: withdrawn", name)
        self._missing = frozenset(gone)
        self._broken = {name: why for name, why in self._broken.items() if name in found}
        for name in sorted(found):
            known = entries.get(name)
            if known is None or known.signature != found[name]:
                self._replace(entries, name, found[name])
            else:
                self._broken.pop(name, None)
        return entries

    def _replace(self, entries: dict[str, _Entry], name: str, signature: Signature | None) -> None:
        try:
            entries[name] = self._read(name, signature)
        except ArtifactError as error:
            if self._broken.get(name) != str(error):
                kept = "the old one stays" if name in entries else "not in service"
                logger.error("forget request %s: %s; %s", name, error, kept)
            self._broken[name] = str(error)
        else:
            self._broken.pop(name, None)
            logger.info("forget request %s: in service", name)

    def _read(self, name: str, signature: Signature | None) -> _Entry:
        artifact = read(self._folder / name, KIND, limit=MAX_REQUEST_BYTES)
        request = ForgetRequest.from_artifact(artifact)
        if artifact.manifest.encoder != self._digest:
            trained = str(artifact.manifest.encoder)[:12]
            raise artifact.fail(
                "encoder", f"trained on encoder {trained}, in service is {self._digest[:12]}"
            )
        if request.weights.shape[1] != self._width:
            raise artifact.fail("tensors.weight", f"expected {self._width} numbers")
        # Read after the signature was taken: what changed in between is read again next time.
        return _Entry(signature or (), request)

    def _list(self) -> dict[str, Signature | None]:
        """By folder name, the signature of its manifest; None where there is none (yet).

        Names with a dot in front are artifacts on their way in or out.
        """
        try:
            with os.scandir(self._folder) as entries:
                names = [e.name for e in entries if e.name[0] != "." and e.is_dir()]
        except OSError as error:
            raise ConfigError(f"{self._folder}: {error.strerror}") from error
        return {name: signature_of(self._folder / name / MANIFEST) for name in names}

    def _built(self) -> RequestSet:
        requests = (entry.request for entry in self._entries.values())
        return RequestSet(requests, encoder=self._digest, width=self._width)

    def _tell(self) -> None:
        with self._telling:
            for listener in () if self._retired else self._listeners:
                listener(len(self._entries), len(self._broken))

    def _watch(self) -> None:
        with self._lock:
            if self._retired:
                return
            if self._watcher is None or self._watcher.process != os.getpid():
                self._watcher = _Watcher(self, self._reload_s)


def load(source: ForgetRequestsDetector, context: Context) -> RequestFolder:
    """The detector of a section of kind `forget-requests`; ConfigError without an encoder."""
    if context.encoder is None:
        raise ConfigError("forget requests need an `encoder`, and none is configured")
    return RequestFolder(source.path, context.encoder, reload_s=source.reload_s)


class _Watcher:
    """A thread that refreshes a folder until it ends, or nobody holds the folder any more."""

    def __init__(self, folder: RequestFolder, period: float) -> None:
        self.process = os.getpid()
        self._ended = threading.Event()
        self._folder = weakref.ref(folder)
        self._period = period
        threading.Thread(target=self._run, name="forget-requests", daemon=True).start()

    def end(self) -> None:
        """End at the next turn; waits for nothing."""
        self._ended.set()

    def _run(self) -> None:
        while not self._ended.wait(self._period):
            folder = self._folder()
            if folder is None:
                return
            try:
                folder.refresh()
            except Exception as error:
                logger.error("forget requests: reload failed: %s", type(error).__name__)
            del folder
