"""The way into the tables: redacted, encrypted, within each client's quota, in one transaction."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Connection, Engine, Table, select, update
from sqlalchemy.dialects import postgresql, sqlite

from guard.store.encryption import PromptCipher
from guard.store.faults import classified
from guard.store.records import AuditRecord, Message, PromptRecord, Record
from guard.store.redaction import Redact
from guard.store.rows import Row, audit_row, client_id, message_bytes, moment, row_id
from guard.store.schema import audit, identity, prompts, quotas


@dataclass(slots=True)
class Batch:
    """Rows that are written together; `prompts` are by key name and day, still without client.

    `unredacted` prompts and `unfit` audit records could not be made rows.
    """

    audit: list[Row] = field(default_factory=list)
    prompts: dict[tuple[str, date], list[Row]] = field(default_factory=lambda: defaultdict(list))
    unredacted: int = 0
    unfit: int = 0

    def __len__(self) -> int:
        return len(self.audit) + sum(map(len, self.prompts.values()))

    def extend(self, other: "Batch") -> None:
        """Add another batch's rows to this one."""
        self.audit += other.audit
        for group, rows in other.prompts.items():
            self.prompts[group] += rows
        self.unredacted += other.unredacted
        self.unfit += other.unfit

    def singles(self) -> list["Batch"]:
        """A batch for each row."""
        found = [Batch(audit=[row]) for row in self.audit]
        for group, rows in self.prompts.items():
            found += [Batch(prompts={group: [row]}) for row in rows]
        return found


@dataclass(frozen=True, slots=True)
class Written:
    """What a transaction has stored, and the key names whose quota of the day is used up."""

    audit: int
    prompts: int
    over_quota: int
    spent: dict[str, date]


class Intake:
    """Writes batches; one thread at a time."""

    def __init__(
        self, engine: Engine, *, redact: Redact, cipher: PromptCipher | None, quota: int
    ) -> None:
        self._engine = engine
        self._redact = redact
        self._cipher = cipher
        self._quota = quota
        self._secret: bytes | None = None

    def prepare(self, records: Sequence[Record]) -> Batch:
        """The rows of records: their ids are drawn here, once, however often they are written.

        What cannot be made a row is left out and counted. So is a prompt whose redaction fails: it
        must not be stored as it is, and the error, of the operator's code, could quote it.
        """
        batch = Batch()
        for record in records:
            is_audit = isinstance(record, AuditRecord)
            try:
                if isinstance(record, AuditRecord):
                    batch.audit.append(audit_row(record))
                else:
                    day = moment(record.time).date()
                    batch.prompts[record.key, day].append(self._prompt_row(record))
            except Exception:
                batch.unfit += is_audit
                batch.unredacted += not is_audit
        return batch

    def _prompt_row(self, record: PromptRecord) -> Row:
        redacted = [Message(m.role, self._redact(m.content)) for m in record.messages]
        content = message_bytes(redacted)
        return {
            "id": row_id(record.time),
            "time": moment(record.time),
            "encrypted": self._cipher is not None,
            "messages": self._cipher.encrypt(content) if self._cipher else content,
        }

    def write(self, batch: Batch) -> Written:
        """Store a batch, all or nothing; raises StoreFault."""
        with classified(), self._engine.begin() as connection:
            _insert(connection, audit, batch.audit)
            taken: list[Row] = []
            spent: dict[str, date] = {}
            # In one order everywhere: two writers that lock quotas cannot wait for each other.
            for (key, day), rows in sorted(batch.prompts.items()):
                client = client_id(self._client_secret(connection), key)
                room = self._take(connection, client, day, len(rows))
                taken += [{**row, "client": client} for row in rows[:room]]
                if room < len(rows):
                    spent[key] = day
            _insert(connection, prompts, taken)
        over = len(batch) - len(batch.audit) - len(taken)
        return Written(len(batch.audit), len(taken), over, spent)

    def _client_secret(self, connection: Connection) -> bytes:
        if self._secret is None:
            self._secret = connection.execute(select(identity.c.secret)).scalar_one()
        return self._secret

    def _take(self, connection: Connection, client: str, day: date, wanted: int) -> int:
        """How many of `wanted` the client's quota of the day still allows; they count at once."""
        _insert(connection, quotas, [{"client": client, "day": day, "taken": 0}])
        row = (quotas.c.client == client) & (quotas.c.day == day)
        taken = connection.execute(select(quotas.c.taken).where(row).with_for_update()).scalar_one()
        room = max(0, min(wanted, self._quota - int(taken)))
        if room:
            connection.execute(update(quotas).where(row).values(taken=quotas.c.taken + room))
        return room


def _insert(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Add the rows that are not there yet."""
    if not rows:
        return
    insert: Callable[[Table], postgresql.Insert | sqlite.Insert]
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(insert(table).on_conflict_do_nothing(), list(rows))
