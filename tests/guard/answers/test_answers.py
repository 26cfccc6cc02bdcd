"""Which answers are guarded, and how."""

from typing import Any

import pytest

from guard.settings import Release
from guard.terms.verdict import Verdict
from tests.fakes import WordDetector
from tests.guard.answers.judging import chat_call, desk, policy


def test_without_policies_nothing_is_guarded() -> None:
    with desk() as at_desk:
        assert at_desk.answers.guard(chat_call(), [], "", at_desk.notes) is None


@pytest.mark.parametrize(
    ("modes", "body", "release"),
    [
        (["hold"], {}, "hold"),
        (["tail"], {}, "tail"),
        (["tail", "hold"], {}, "hold"),
        (["hold", "whole", "tail"], {}, "whole"),
        (["tail"], {"response_format": {"type": "json_schema"}}, "whole"),
        (["tail"], {"response_format": {"type": "text"}}, "tail"),
        (["hold"], {"structured_outputs": {"choice": ["a"]}}, "whole"),
    ],
)
def test_the_strictest_mode_counts(
    modes: list[Release], body: dict[str, Any], release: Release
) -> None:
    policies = [policy(mode, name=mode) for mode in modes]
    with desk(*policies, policy("whole", shadow=True, name="s")) as at_desk:
        assert at_desk.guard(**body).release == release


def test_a_detector_may_ask_for_more_behind() -> None:
    far = WordDetector("attack")
    far.reach = 500
    with desk(policy(), policy(detector=far, name="far")) as at_desk:
        assert at_desk.guard().window == (200, 500, 0)


def test_what_is_said_in_place_of_an_answer_keeps_its_form() -> None:
    with desk(refusal={"form": "message", "text": "No."}) as at_desk:
        assert at_desk.guard().refusal(Verdict()) == "No."
        assert at_desk.guard(response_format={"type": "json_object"}).refusal(Verdict()) == ""
    with desk(answers={"structured": "{}"}) as at_desk:
        assert at_desk.guard().refusal(Verdict()) == ""
        assert at_desk.guard(response_format={"type": "json_object"}).refusal(Verdict()) == "{}"
