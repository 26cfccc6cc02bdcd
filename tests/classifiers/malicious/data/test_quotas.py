"""Quotas: who is capped, which rows stay, and that nobody can choose them."""

from collections import Counter

import numpy as np
import pytest

from classifiers.malicious.data.quotas import cap_clients

KEY = b"k" * 32


def rows_of(sizes: dict[str, int]) -> tuple[list[str], list[str]]:
    clients = [client for client, rows in sizes.items() for _ in range(rows)]
    return clients, [f"prompt {row}" for row in range(len(clients))]


def test_a_loud_client_is_capped_and_others_are_not() -> None:
    clients, texts = rows_of({"loud": 500, "quiet": 7, "": 300})
    quota = cap_clients(clients, texts, KEY, least=20)
    assert Counter(clients[row] for row in quota.rows) == {"loud": 20, "quiet": 7, "": 300}
    assert quota.report() == {
        "rows": 327,
        "cap": 20,
        "dropped": 480,
        "clients_capped": 1,
        "rows_without_client": 300,
    }


@pytest.mark.parametrize(("rows", "share", "cap"), [(1000, 0.0005, 20), (1000, 0.05, 50)])
def test_the_cap_is_a_share_or_the_least(rows: int, share: float, cap: int) -> None:
    clients, texts = rows_of({"a": rows})
    assert cap_clients(clients, texts, KEY, share=share, least=20).cap == cap


def test_which_rows_stay_depends_on_the_key_and_not_on_their_order() -> None:
    clients, texts = rows_of({"loud": 200})
    kept = {texts[row] for row in cap_clients(clients, texts, KEY).rows}
    backwards = texts[::-1]
    assert {backwards[row] for row in cap_clients(clients, backwards, KEY).rows} == kept
    assert {texts[row] for row in cap_clients(clients, texts, b"other").rows} != kept


def test_rows_keep_their_order() -> None:
    clients, texts = rows_of({"a": 100, "b": 100})
    assert (np.diff(cap_clients(clients, texts, KEY).rows) > 0).all()


def test_no_rows() -> None:
    assert len(cap_clients([], [], KEY).rows) == 0


@pytest.mark.parametrize(("share", "least"), [(0, 1), (1.1, 1), (0.5, 0)])
def test_bad_limits(share: float, least: int) -> None:
    with pytest.raises(ValueError, match="share must be in"):
        cap_clients([], [], KEY, share=share, least=least)
