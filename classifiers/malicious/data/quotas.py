"""Limits how much of the training set one client can be.

Second step with traffic, after near-duplicates. A keyed hash decides, so that a client cannot
choose which of its prompts are learned from. Rows of unknown client ("") have no quota: traffic
without client ids is only as safe as the door it came through, so callers report their number.
"""

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SHARE = 0.0005
LEAST = 20

Rows = NDArray[np.int_]


@dataclass(frozen=True, slots=True)
class Quota:
    """Rows that stay, in order; the cap; rows dropped of how many clients; rows of nobody."""

    rows: Rows
    cap: int
    dropped: int
    clients_capped: int
    unknown: int

    def report(self) -> dict[str, int]:
        """What `report.json` keeps."""
        return {
            "rows": len(self.rows),
            "cap": self.cap,
            "dropped": self.dropped,
            "clients_capped": self.clients_capped,
            "rows_without_client": self.unknown,
        }


def cap_clients(
    clients: Sequence[str],
    texts: Sequence[str],
    key: bytes,
    *,
    share: float = SHARE,
    least: int = LEAST,
) -> Quota:
    """At most max(`share` of all rows, `least`) rows of each client, chosen by a keyed hash.

    The choice depends on key, client and text alone, not on the order of the rows or on others.
    """
    if not 0 < share <= 1 or least < 1:
        raise ValueError(f"share must be in (0, 1] and least positive, not {share}, {least}")
    cap = max(int(np.ceil(share * len(clients))), least)
    by_client: dict[str, list[int]] = defaultdict(list)
    for row, client in enumerate(clients):
        by_client[client].append(row)
    unknown = by_client.pop("", [])
    kept = list(unknown)
    for rows in by_client.values():
        kept += rows if len(rows) <= cap else _chosen(rows, texts, key, clients[rows[0]])[:cap]
    return Quota(
        rows=np.array(sorted(kept), dtype=np.int_),
        cap=cap,
        dropped=len(clients) - len(kept),
        clients_capped=sum(len(rows) > cap for rows in by_client.values()),
        unknown=len(unknown),
    )


def _chosen(rows: Sequence[int], texts: Sequence[str], key: bytes, client: str) -> list[int]:
    """The rows in the order of their keyed hashes."""
    return sorted(rows, key=lambda row: (_digest(key, client, texts[row]), row))


def _digest(key: bytes, client: str, text: str) -> bytes:
    message = f"{client}\0{text}".encode(errors="surrogatepass")
    return hmac.new(key, message, hashlib.sha256).digest()
