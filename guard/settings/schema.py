"""The JSON Schema of the configuration, for editors and for checks before a roll-out."""

import json

from guard.settings.configuration import Settings


def schema_text() -> str:
    """The schema as JSON (draft 2020-12), one line per key."""
    described = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "EcoGuard's configuration",
        **{name: part for name, part in Settings.model_json_schema().items() if name != "title"},
    }
    return json.dumps(described, indent=2, ensure_ascii=False) + "\n"
