"""Who is next: callers by what they have had, a caller's own requests by when they would end."""

import pytest

from guard.screening.workers.fair_queue import FairQueue


def served(queue: FairQueue[str], steps: int, seconds: float = 1.0) -> list[str]:
    """The jobs that get the next steps, each as long; none of them ends."""
    found = []
    for _ in range(steps):
        job = queue.take()
        assert job is not None
        found.append(job)
        queue.charge(job, seconds)
        queue.put_back(job)
    return found


def test_callers_take_turns_whatever_they_ask_for() -> None:
    queue = FairQueue[str]()
    for number in range(5):
        queue.add(f"flood-{number}", "flood", 100)
    queue.add("one", "shop", 3)

    assert [job.split("-")[0] for job in served(queue, 6)] == ["flood", "one"] * 3


def test_one_callers_requests_alike_keep_their_order() -> None:
    queue = FairQueue[str]()
    for name in "abc":
        queue.add(name, "shop", 2)

    assert served(queue, 3) == ["a", "a", "a"]


def test_a_short_request_passes_a_long_one_of_the_same_caller() -> None:
    queue = FairQueue[str]()
    queue.add("long", "shop", 100)
    assert queue.take() == "long"
    queue.add("short", "shop", 1)

    assert queue.is_behind("long")
    queue.put_back("long")
    assert queue.take() == "short"


def test_a_long_request_is_not_passed_for_ever() -> None:
    queue = FairQueue[str]()
    queue.add("long", "shop", 10)
    taken = []
    for number in range(20):
        queue.add(f"short-{number}", "shop", 1)
        job = queue.take()
        assert job is not None
        taken.append(job)
        queue.charge(job, 1)
        queue.put_back(job) if job == "long" else queue.remove(job)

    assert "long" in taken


def test_who_was_away_is_owed_nothing() -> None:
    queue = FairQueue[str]()
    queue.add("busy", "busy", 1000)
    served(queue, 50)
    queue.add("late", "late", 1000)

    assert served(queue, 4).count("late") == 2


def test_who_left_and_comes_again_is_not_first() -> None:
    queue = FairQueue[str]()
    queue.add("steady", "steady", 1000)
    turns = []
    for number in range(6):
        queue.add(f"hang-up-{number}", "hostile", 1000)
        turns += served(queue, 2)
        queue.remove(f"hang-up-{number}")

    assert turns.count("steady") == 6


def test_a_job_is_behind_only_those_that_wait() -> None:
    queue = FairQueue[str]()
    queue.add("a", "shop", 1)
    queue.take()
    queue.charge("a", 50)

    assert not queue.is_behind("a")


def test_who_has_most_gives_way_with_its_last() -> None:
    queue = FairQueue[str]()
    for number in range(4):
        queue.add(f"flood-{number}", "flood", number + 1)

    assert queue.crowding_out("shop") == "flood-3"
    assert queue.crowding_out("flood") is None


def test_nobody_gives_way_to_who_has_as_much() -> None:
    queue = FairQueue[str]()
    queue.add("a", "shop", 1)
    queue.add("b", "other", 1)

    assert queue.crowding_out("shop") is None
    assert queue.crowding_out("third") is None


@pytest.mark.parametrize(
    ("jobs", "caller", "newcomer", "is_over"),
    [
        ("aaaa", "a", "a", False),  # alone: the guard is too small
        ("aaab", "a", "a", True),
        ("aaa", "a", "b", True),
        ("aaab", "b", "b", False),
        ("abc", "d", "d", False),  # an equal part for each
        ("aabb", "a", "a", True),
        ("ab", "b", "a", False),
    ],
)
def test_a_share_is_an_equal_part_of_all_jobs(
    jobs: str, caller: str, newcomer: str, is_over: bool
) -> None:
    queue = FairQueue[int]()
    for number, owner in enumerate(jobs):
        queue.add(number, owner, 1)

    assert queue.is_over_share(caller, newcomer) is is_over


def test_what_is_removed_is_not_taken() -> None:
    queue = FairQueue[str]()
    for name in "abc":
        queue.add(name, "shop", 1)
    queue.remove("b")

    assert [queue.take(), queue.take(), queue.take()] == ["a", "c", None]
    assert len(queue) == 2
    assert queue.jobs == ("a", "c")
