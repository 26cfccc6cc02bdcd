"""Known hashes: none is forgotten, few are imagined."""

from pathlib import Path

import numpy as np

from guard.detectors.verbatim.membership import Filter, Listed, Membership

RANDOM = np.random.default_rng(1).integers(0, 2**64, 20_000, dtype=np.uint64)
KNOWN, OTHERS = RANDOM[:10_000], RANDOM[10_000:]


def check(known: Membership, most: int) -> None:
    assert known.known(KNOWN).all()
    assert known.known(OTHERS).sum() <= most
    assert not len(known.known(KNOWN[:0]))


def test_a_list_knows_exactly_its_hashes() -> None:
    check(Listed(KNOWN), 0)
    assert not Listed(KNOWN[:0]).known(KNOWN).any()


def test_a_filter_imagines_one_in_a_thousand(tmp_path: Path) -> None:
    made = Filter.sized(len(KNOWN))
    made.add(KNOWN)
    check(made, 20)

    path = tmp_path / "bits"
    path.write_bytes(made.bits.tobytes())
    check(Filter.mapped(path), 20)
