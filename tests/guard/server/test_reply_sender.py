"""What became of a streamed answer that was judged on its way: the audit row and log say it."""

from pathlib import Path

import pytest

from tests.fakes import FailingDetector, WordDetector
from tests.guard.answers.streams import delta
from tests.guard.conftest import CHAT, RigMaker
from tests.guard.store.records import audit_rows

BODY = {"model": "demo", "messages": [{"role": "user", "content": "hello"}], "stream": True}
SCRIPT: list[bytes | str | None] = [
    delta(role="assistant", content=""),
    *(delta(content=f"word {n}. ") for n in range(40)),
    delta(content="An attack. "),
    delta(finish="stop"),
    b"data: [DONE]\n\n",
]


@pytest.mark.parametrize(
    ("action", "detector", "wanted"),
    [
        ("flag", WordDetector("nothing"), "allow"),
        ("flag", WordDetector("attack"), "flag"),
        ("block", WordDetector("attack"), "block"),
        ("block", FailingDetector(), "screening_failed"),
    ],
)
@pytest.mark.parametrize("mode", ["tail", "hold"])
async def test_what_came_after_the_first_byte_is_in_the_row_and_in_the_log(
    make_rig: RigMaker,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    mode: str,
    action: str,
    detector: WordDetector | FailingDetector,
    wanted: str,
) -> None:
    caplog.set_level("INFO", logger="guard.access")
    url = f"sqlite:///{tmp_path / 'traffic.db'}"
    policy = {"name": "said", "detector": "d0", "action": action, "side": "answer", "mode": mode}
    async with make_rig((action, detector), policies=[policy], store={"url": url}) as rig:
        rig.vllm.script = SCRIPT
        answer = await rig.client.post(CHAT, json=BODY)

    assert answer.text
    assert [row.action for row in audit_rows(url)] == [wanted]
    logged = [vars(record)["fields"] for record in caplog.records if record.name == "guard.access"]
    assert [line["action"] for line in logged] == [wanted]
