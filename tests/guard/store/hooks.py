"""A redaction hook, as an operator would write one."""


def add_mail(text: str) -> str:
    """Puts in what the built-in redaction must take out again."""
    return f"{text} bob@example.com"
