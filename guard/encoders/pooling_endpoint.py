"""An HTTP endpoint that pools a model's hidden states: prompts as token ids in, vectors out.

What `vllm serve --runner pooling` offers at `/v1/embeddings`. Called from screening's threads, so
it blocks; urllib3 because its pool of connections is safe to share between them, keeps them alive
and bounds each step in time.
"""

from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Self

import numpy as np
import orjson
import pybase64
from numpy.typing import NDArray

from guard.terms.errors import DetectorError

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

BATCH_PROMPTS = 32
"""Prompts of one request; a server puts the prompts of all its requests into its batches."""
MOST_ANSWER_BYTES = 64 << 20
MOST_CONNECT_S = 2.0

Vectors = NDArray[np.float32]


class PoolingEndpoint:
    """A model's vectors from a server at `url` (a root, without `/v1`); safe to share.

    At most `connections` requests are in flight, over all threads. `timeout` seconds bound each
    call, however many requests it takes; an endpoint that fails or is late raises DetectorError,
    which never quotes what was sent or answered.
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        api_key: str | None = None,
        timeout: float = 5.0,
        connections: int = 4,
    ) -> None:
        from urllib3 import PoolManager, Timeout

        self.model = model
        self._address = f"{url.rstrip('/')}/v1/embeddings"
        self._headers = {"content-type": "application/json"}
        if api_key is not None:
            self._headers["authorization"] = f"Bearer {api_key}"
        self._timeout = timeout
        self._connections = PoolManager(
            maxsize=connections,
            block=True,
            retries=False,
            timeout=Timeout(connect=min(MOST_CONNECT_S, timeout), read=timeout),
        )
        self._threads = ThreadPoolExecutor(connections, thread_name_prefix="pooling-endpoint")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def vectors(self, prompts: Sequence[Sequence[int]]) -> Vectors:
        """A vector per prompt of token ids, shape (n, width), as the server pools them; n >= 1."""
        starts = range(0, len(prompts), BATCH_PROMPTS)
        batches = [list(prompts[at : at + BATCH_PROMPTS]) for at in starts]
        futures = [self._threads.submit(self._fetch, batch) for batch in batches]
        done, late = wait(futures, self._timeout, FIRST_EXCEPTION)
        for future in late:
            future.cancel()
        for future in done:
            if error := future.exception():
                raise error
        if late:
            raise DetectorError(f"pooling endpoint: no answer within {self._timeout:g} s")
        found = [future.result() for future in futures]
        if len({part.shape[1] for part in found}) != 1:
            raise DetectorError("pooling endpoint: vectors of several widths")
        return np.concatenate(found)

    def close(self) -> None:
        """Let connections and threads end; waits for none."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._connections.clear()

    def _fetch(self, batch: Sequence[Sequence[int]]) -> Vectors:
        from urllib3.exceptions import HTTPError

        body = {"model": self.model, "input": batch, "encoding_format": "base64"}
        answer = self._post(orjson.dumps(body))
        try:
            content = answer.read(MOST_ANSWER_BYTES)
        except HTTPError as error:
            raise _failed(error) from error
        finally:
            answer.close()  # a connection whose answer was read whole is kept
        if answer.status != 200:
            raise DetectorError(f"pooling endpoint: status {answer.status}")
        return _read_vectors(content, len(batch))

    def _post(self, body: bytes, attempts: int = 2) -> "BaseHTTPResponse":
        from urllib3.exceptions import HTTPError, ProtocolError

        try:
            return self._connections.request(
                "POST",
                self._address,
                body=body,
                headers=self._headers,
                redirect=False,
                preload_content=False,
            )
        except ProtocolError as error:
            # A server may close an idle connection just when it is used again.
            if attempts > 1:
                return self._post(body, attempts - 1)
            raise _failed(error) from error
        except HTTPError as error:
            raise _failed(error) from error


def _failed(error: Exception) -> DetectorError:
    return DetectorError(f"pooling endpoint: {type(error).__name__}")


def _read_vectors(content: bytes, count: int) -> Vectors:
    """The vectors of an answer in the order of its indices, shape (count, width)."""
    try:
        items = sorted(orjson.loads(content)["data"], key=lambda item: int(item["index"]))
        vectors = np.stack([_vector(item["embedding"]) for item in items])
    except (KeyError, TypeError, ValueError) as error:  # of orjson and base64, too
        raise DetectorError("pooling endpoint: not an answer with vectors") from error
    if vectors.ndim != 2 or len(vectors) != count or not np.isfinite(vectors).all():
        raise DetectorError(f"pooling endpoint: vectors of shape {vectors.shape} for {count}")
    return vectors


def _vector(embedding: object) -> Vectors:
    """From base64 of little-endian float32, or a list, which servers that know no other send."""
    if isinstance(embedding, str):
        return np.frombuffer(pybase64.b64decode(embedding, validate=True), dtype="<f4")
    return np.asarray(embedding, dtype=np.float32)
