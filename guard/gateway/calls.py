"""From a parsed body to a call: the model, the field tables, and the pictures in it."""

from collections.abc import Mapping
from dataclasses import replace

from guard.gateway.client import Client
from guard.gateway.models.model_tokenizers import ModelTokenizer
from guard.images.admission import Admission
from guard.observability.metrics import Metrics
from guard.screening.selection import PolicyTable
from guard.settings import Settings
from guard.terms.entry import Entry
from guard.terms.errors import RequestError
from guard.terms.item import Call
from guard.terms.json import JsonObject
from guard.terms.sampling_defaults import VLLM_DEFAULTS, SamplingDefaults
from guard.upstream.client import Upstream
from guard.wire.dropped_fields import DroppedFields
from guard.wire.fields import FieldRules
from guard.wire.protocol import WireProtocol
from guard.wire.sampling import fields_after

BOTH = (False, True)


class Calls:
    """Makes calls of bodies, as the configuration and the model server's version have it."""

    def __init__(
        self,
        settings: Settings,
        table: PolicyTable,
        upstream: Upstream,
        metrics: Metrics,
        tokenizers: Mapping[str, ModelTokenizer],
        switches: Mapping[str, frozenset[str]],
        sampling: Mapping[str, SamplingDefaults],
    ) -> None:
        self._settings = settings
        self._table = table
        self._upstream = upstream
        self._metrics = metrics
        self._tokenizers = tokenizers
        self._switches = switches
        self._sampling = sampling
        self._pictures = Admission(settings.images)
        self._rules = {may_corrupt: _rules(settings, may_corrupt) for may_corrupt in BOTH}

    async def admit(self, protocol: WireProtocol, body: JsonObject, client: Client) -> Call:
        """The call that `body` makes, its pictures decoded and written anew.

        Raises RequestError naming the field or picture at fault, ScreeningError where pictures
        could not be decoded in time.
        """
        return await self._pictures.admit(self._parse(protocol, body, client), client.owner)

    def _parse(self, protocol: WireProtocol, body: JsonObject, client: Client) -> Call:
        model = self._model(body.get("model"))
        client.entry.model = model
        rules = self._rules[self._table.select(client.owner, protocol.route, model).may_corrupt]
        dropped = DroppedFields()
        rules = replace(
            rules,
            dropped=dropped,
            absent=fields_after(self._upstream.version(model)),
            switches=self._switches.get(model, frozenset()),
            sampling=self._sampling.get(model, VLLM_DEFAULTS),
            context_tokens=self._context_tokens(model),
        )
        if model:
            body = {**body, "model": model}
        call = protocol.parse(body, rules, self._tokenizers.get(model), client.owner)
        self._take_down(dropped, client.entry)
        return call

    def _context_tokens(self, model: str) -> int | None:
        """How long a prompt and its answer may be: as configured, or as the servers say."""
        configured = self._settings.models.get(model)
        given = configured.context_tokens if configured else None
        return given or self._upstream.context(model)

    def _take_down(self, dropped: DroppedFields, entry: Entry) -> None:
        """For the answer's header and the operator's counts: nobody is misled in silence."""
        entry.dropped_fields = dropped.listed
        for label in dropped.labels:
            self._metrics.dropped_fields.labels(label).inc()

    def _model(self, name: object) -> str:
        """The model asked for, or the only one there is; 404 for one that is not served.

        Empty where none is asked for and none configured: the model server has one of its own.
        """
        served = self._settings.models
        if name is None and len(served) <= 1:
            return next(iter(served), "")
        if not isinstance(name, str) or not name:
            raise RequestError("'model' must name a model", param="model")
        if served and name not in served:
            raise RequestError(
                "The model does not exist", param="model", status=404, code="model_not_found"
            )
        return name

    def begin(self) -> None:
        """Be ready for pictures; in a running loop."""
        self._pictures.begin()

    async def close(self) -> None:
        """End what decodes pictures."""
        await self._pictures.close()


def _rules(settings: Settings, may_corrupt: bool) -> FieldRules:
    """The operator's say over the fields of requests whose policies may corrupt, or do not."""
    return FieldRules(
        allowed=frozenset(settings.fields.allow),
        drop_unknown=settings.fields.unknown == "drop",
        may_corrupt=may_corrupt,
        pictures=settings.images.enabled,
        media_unscreened=settings.fields.media == "allow_unscreened",
    )
