"""The screening of calls: by the policies chosen for each, as the model reads it, at its price."""

from time import time_ns

from guard.gateway.client import Client
from guard.observability.metrics import Metrics
from guard.rendering.renderer import Renderer
from guard.screening import passages
from guard.screening.budget.spending import Spending
from guard.screening.screener import Screener, Screening
from guard.screening.selection import PolicyTable
from guard.terms.item import Call
from guard.wire.protocol import WireProtocol


class PromptScreening:
    """Judges the prompts of calls, and takes down what came of it and what it cost."""

    def __init__(
        self,
        screener: Screener,
        table: PolicyTable,
        renderer: Renderer,
        metrics: Metrics,
        *,
        most_tokens: int = 0,
    ) -> None:
        """`most_tokens` is what each detector may read of a call (0: any number)."""
        self._screener = screener
        self._table = table
        self._renderer = renderer
        self._metrics = metrics
        self._most_tokens = most_tokens

    async def screened(self, protocol: WireProtocol, call: Call, client: Client) -> Screening:
        """The screening of a call's prompt; notes the verdict, and later that of shadows too."""
        chosen = self._table.select(client.owner, protocol.route, call.model)
        began = time_ns()
        spending = Spending(self._most_tokens)
        try:
            screening = await passages.begin(
                self._screener,
                call.items,
                chosen.of("prompt"),
                client.owner,
                rendering=self._renderer.source(call),
                spending=spending,
            )
        finally:  # who leaves, or has no time left, has cost something all the same
            client.entry.screened_tokens += spending.read
            self._metrics.screened_tokens.inc(spending.read)
        client.screened(began, "prompt", screening.verdict)
        if screening.whole is not None:
            client.await_shadows(screening.whole, "prompt", screening.verdict)
        return screening
