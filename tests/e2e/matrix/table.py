"""The matrix as a table: on the terminal, and as a page of the documentation."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.e2e.matrix.runs import Ran

HEAD = """# Clients, run

Made by `make clients-matrix` ({date}); do not edit. Each program runs in its default
configuration, pointed at a loopback address, with telemetry off and no way to any other network.

**Agents** make three turns of one conversation before a scripted model: a small chat server of
`tests/e2e/matrix` that answers the first turn with a call of one of the agent's own tools. It
stands behind the proxy and, for agents that speak chat, alone (*direct*). Their first and last
requests are then sent again to a real vLLM 0.32, straight and through the proxy: *same at vLLM*
says whether both are served alike, the first with the same number of prompt tokens. **Libraries**
run a program of `tests/e2e/matrix/scripts`, or their own command, before vLLM with the demo's
model: three turns, a stream, and a tool call that is forced.

| program | version | route | direct | proxy | stream | tool call | same at vLLM | dropped fields |
|---|---|---|---|---|---|---|---|---|
"""
TAIL = """
*Dropped fields* are those that no table names: vLLM's own routes do not read them either
([fields](fields.md)). The AI SDK runs over Responses with `store: false`; by default it refers to
turns that OpenAI keeps, which vLLM and the proxy both refuse. GuideLLM is left out: its package
brings several gigabytes of GPU libraries.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One program: what it did directly and through the proxy; None where it was not run."""

    name: str
    version: str
    route: str
    direct: Ran | None
    proxied: Ran | None
    again: str
    failure: str | None
    forces_call: bool = False

    @property
    def lost(self) -> bool:
        """Whether something works directly and not through the proxy."""
        if self.proxied is None:
            return False
        works = self.direct is None or self.direct.ok
        if self.direct and set(self.direct.tests) - set(self.proxied.tests):
            return True
        return (works and not self.proxied.ok) or self.again.startswith("vLLM")

    @property
    def tool_call(self) -> str:
        """Whether a tool was called: a scripted model calls one, a library forces the demo's to."""
        if self.proxied is None or self.proxied.called is None:
            return "forced" if self.forces_call else "–"
        return "yes" if self.proxied.called else "has no tools"

    @property
    def cells(self) -> tuple[str, ...]:
        """The row's words."""
        if self.failure or self.proxied is None:
            return (self.name, self.version, f"`{self.route}`", self.failure or "", *[""] * 5)
        proxied = self.proxied
        return (
            self.name,
            self.version,
            f"`{self.route}`",
            _told(self.direct),
            _told(proxied),
            "yes" if proxied.streams else "no",
            self.tool_call,
            self.again or "–",
            ", ".join(f"`{name}`" for name in proxied.dropped.split(", ") if name) or "–",
        )


def printed(rows: Sequence[Row]) -> str:
    """For the terminal."""
    return "".join(" | ".join(row.cells) + "\n" for row in rows)


def page(rows: Sequence[Row]) -> str:
    """For the documentation."""
    date = datetime.now(UTC).date().isoformat()
    lines = "".join("| " + " | ".join(row.cells) + " |\n" for row in rows)
    return HEAD.format(date=date) + lines + TAIL


def _told(ran: Ran | None) -> str:
    if ran is None:
        return "–"
    if ran.tests:
        return f"{len(ran.tests)} tests"
    if ran.refused:
        return f"refused: {', '.join(map(str, ran.refused))}"
    turns = f" ({ran.passed} of {ran.asked} turns)" if ran.asked > 1 else ""
    return ("passes" if ran.ok else "fails") + turns
