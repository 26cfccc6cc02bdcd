"""Redaction of captured prompts: what points at a person or opens a door is replaced by a word.

A net with known holes, for text that people write: names and addresses pass. Operators who need
more name a hook of their own (Presidio, say).
"""

import importlib
import re
from collections.abc import Callable

from guard.terms.errors import ConfigError, about

Redact = Callable[[str], str]

_DIGIT = re.compile(r"\d")
_KEY_BLOCK = re.compile(
    r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)",
    re.DOTALL,
)
# Possessive quantifiers, and a look-behind at each start, keep these linear in a line's length.
# None crosses a line's end.
_EMAIL = re.compile(r"(?<![\w.%+'-])[\w.%+'-]++@(?:[\w-]++\.)++[\w-]{2,}+")
# Vendors' prefixes, JSON web tokens, and any long run of letters and digits that mixes them.
_TOKEN = re.compile(
    r"""(?<![A-Za-z0-9_-])(?:
        (?:sk|pk|rk|ghp|gho|ghu|ghs|ghr|github_pat|glpat|xox[abeoprs]|hf|npm|pypi|AKIA|ASIA|AIza)
            [_-]?(?=[\w-]*\d)[\w-]{16,}+
      | eyJ[\w-]{8,}+\.[\w-]++(?:\.[\w-]*+)?
      | (?=[A-Za-z_-]*\d)(?=[0-9_-]*[A-Za-z])[A-Za-z0-9_-]{32,}+
    )""",
    re.VERBOSE,
)
_BASE64 = re.compile(
    r"(?<![A-Za-z0-9/+])(?=[A-Za-z/+]*\d)(?=[0-9/+]*[A-Za-z])[A-Za-z0-9/+]{40,}+={0,2}"
)
_NAMED = re.compile(
    r"(?i)(?<!\w)(bearer|token|api[_-]?key|password|passwd|secret)([ \t]*[:=][ \t]*|[ \t]+)"
    r"(?=[\w./+~-]*\d)[\w./+~-]{8,}+=*"
)
_DIGITS = re.compile(r"(?<!\w)[+(]?\d(?:[ ().\-\u00a0\u2010-\u2015/]{0,3}\d){6,18}(?!\w)")


def redact(text: str) -> str:
    """The text with e-mail addresses, phone and card numbers and keys replaced by their kind.

    Line by line: an expression holds the interpreter's lock while it runs, and between two lines
    the event loop has its turn.
    """
    lines = _KEY_BLOCK.sub("[KEY]", text).splitlines(keepends=True)
    return "".join(_redacted_line(line) for line in lines)


def _redacted_line(line: str) -> str:
    if "@" in line:
        line = _EMAIL.sub("[EMAIL]", line)
    if not _DIGIT.search(line) and "eyJ" not in line:
        return line  # as all that is left needs a digit, most lines end here
    line = _TOKEN.sub("[KEY]", line)
    line = _BASE64.sub("[KEY]", line)
    line = _NAMED.sub(r"\1\2[KEY]", line)
    return _DIGITS.sub(_number, line)


def _number(found: re.Match[str]) -> str:
    digits = [int(character) for character in found[0] if character.isdecimal()]
    return "[CARD]" if len(digits) >= 13 and _passes_luhn(digits) else "[PHONE]"


def _passes_luhn(digits: list[int]) -> bool:
    """Whether the check digit of a card number fits (ISO/IEC 7812-1, annex B)."""
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def unchanged(text: str) -> str:
    """No redaction."""
    return text


def load_hook(path: str) -> Redact:
    """The operator's function `module:function`, text in, text out; ConfigError if there is none.

    Imported once, at start: its module is the operator's code and runs in the proxy.
    """
    module, _, name = path.partition(":")
    try:
        hook = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        hook = None
    if not callable(hook):
        with about("store", "capture", "redaction_hook"):
            raise ConfigError(f"no function '{path}'")
    found: Redact = hook
    return found
