"""The traffic store's parts: tables, migrations, encryption, redaction, the writer."""
