"""The queue's bounds, in number and in bytes."""

from hypothesis import given
from hypothesis import strategies as st

from guard.store.backlog import Backlog
from tests.guard.store.records import audit_record, prompt_record


def test_records_come_out_in_order() -> None:
    backlog = Backlog(10, 1 << 20)
    records = [audit_record(request_id=str(n)) for n in range(5)]
    assert all(backlog.put(record) for record in records)

    assert backlog.take(3) == records[:3]
    assert backlog.take(3) == records[3:]
    assert backlog.take(3) == []


def test_taken_records_count_until_they_are_released() -> None:
    backlog = Backlog(2, 1 << 20)
    assert backlog.put(audit_record())
    assert backlog.put(audit_record())
    taken = backlog.take(2)

    assert not backlog.put(audit_record())
    backlog.release(taken)
    assert backlog.put(audit_record())


def test_bytes_are_bounded_too() -> None:
    backlog = Backlog(100, 10_000)

    assert not backlog.put(prompt_record("x" * 20_000))
    assert backlog.put(prompt_record("x" * 9_000))
    assert not backlog.put(prompt_record("x" * 9_000))


@given(st.lists(st.one_of(st.text(max_size=300), st.integers(1, 4))))
def test_the_count_is_what_is_held(steps: list[str | int]) -> None:
    """A text is put, a number taken and released."""
    backlog = Backlog(5, 4_000)
    held: list[int] = []
    for step in steps:
        if isinstance(step, str):
            record = prompt_record(step)
            fits = len(held) < 5 and sum(held) + record.size <= 4_000
            assert backlog.put(record) == fits
            held += [record.size] * fits
        else:
            taken = backlog.take(step)
            backlog.release(taken)
            del held[: len(taken)]
        assert (backlog.count, backlog.bytes) == (len(held), sum(held))
