"""What the configuration says of the fields of requests."""

from guard.settings import Settings
from guard.wire.fields import FieldRules


def field_rules(settings: Settings, may_corrupt: bool) -> FieldRules:
    """The operator's say over the fields of requests whose policies may corrupt, or do not."""
    return FieldRules(
        allowed=frozenset(settings.fields.allow),
        drop_unknown=settings.fields.unknown == "drop",
        may_corrupt=may_corrupt,
        media_unscreened=settings.fields.media == "allow_unscreened",
    )
