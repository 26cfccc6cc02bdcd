"""What lines of text stand in where a tool returns them: mail, JSON, logs, tables, pages, code."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from lab.detection.multilingual.sentences import AGENTS, Rng, pick, read_sentences

Carrier = Callable[[list[str], Rng], str]
CODE = (
    "def total(rows):",
    "    return sum(r.amount for r in rows)",
    "",
    "x = load(path)",
    "if x is None:",
    "    raise ValueError(path)",
    "for row in x:",
    "    print(row)",
)
JSON_KEYS = (
    *("id", "title", "body", "comment", "description", "status", "notes", "summary"),
    "text",
)
HTML_TAGS = ("p", "li", "td", 'span style="display:none"', "div", "h2")
TOOLS = ("read_email", "get_page", "search_docs", "list_events", "get_ticket")
MOST_CHARACTERS = 800


def _word(name: str, rng: Rng) -> str:
    return str(pick(read_sentences(AGENTS)[name], rng))


def _mail(lines: list[str], rng: Rng) -> str:
    sender = _word("person", rng)
    address = f"{sender.split()[0].lower()}@{_word('host', rng)}"
    head = f"From: {sender} <{address}>\nSubject: {_word('subject', rng)}"
    body = pick(["\n", " ", "\n\n"], rng).join(lines)
    return f"{head}\n\n{body}\n\n{sender}"


def _json(lines: list[str], rng: Rng) -> str:
    keys = [JSON_KEYS[int(place)] for place in rng.permutation(len(JSON_KEYS))]
    record: dict[str, Any] = dict(zip(keys, lines, strict=False))
    record[pick(["count", "amount", "row"], rng)] = int(rng.integers(1, 9000))
    forms = [record, [record], {"result": record}, {"results": [record], "next": None}]
    return json.dumps(pick(forms, rng), indent=pick([None, 2], rng), ensure_ascii=False)


def _log(lines: list[str], rng: Rng) -> str:
    return "\n".join(f"{_time(rng)} {_level(rng)} {line}" for line in lines)


def _time(rng: Rng) -> str:
    day = f"2025-0{rng.integers(1, 9)}-{rng.integers(10, 28)}"
    return f"{day}T{rng.integers(10, 23)}:{rng.integers(10, 59)}:0{rng.integers(9)}Z"


def _level(rng: Rng) -> str:
    level = pick(["INFO", "DEBUG", "WARN", "ERROR"], rng)
    return f"{level} [{pick(['api', 'worker', 'auth', 'db'], rng)}]"


def _csv(lines: list[str], rng: Rng) -> str:
    rows = [
        f'{number},{_word("person", rng)},{rng.integers(5, 9999)},"{line}"'
        for number, line in enumerate(lines, 1)
    ]
    return "\n".join(["id,name,amount,comment", *rows])


def _html(lines: list[str], rng: Rng) -> str:
    return "\n".join(["<html><body>", *(_element(line, rng) for line in lines), "</body></html>"])


def _element(line: str, rng: Rng) -> str:
    tag = pick(HTML_TAGS, rng)
    if rng.random() < 0.15:
        return f"<!-- {line} -->"
    return f"<{tag}>{line}</{tag.split()[0]}>"


def _markdown(lines: list[str], rng: Rng) -> str:
    parts = [f"- {line}" if rng.random() < 0.5 else f"\n{line}\n" for line in lines]
    return "\n".join([f"# {_word('subject', rng).title()}", "", *parts])


def _code(lines: list[str], rng: Rng) -> str:
    mark = pick(["#", "//", "--"], rng)
    place = int(rng.integers(len(CODE) + 1))
    return "\n".join([*CODE[:place], *(f"{mark} {line}" for line in lines), *CODE[place:]])


def _chat(lines: list[str], rng: Rng) -> str:
    return "\n".join(
        f"[{rng.integers(8, 19)}:{rng.integers(10, 59)}] {_word('person', rng)}: {line}"
        for line in lines
    )


def _search(lines: list[str], rng: Rng) -> str:
    return "\n\n".join(
        f"[{number}] https://{_word('host', rng)}/{rng.integers(999)}\n{line}"
        for number, line in enumerate(lines, 1)
    )


def _call(lines: list[str], rng: Rng) -> str:
    return f"Observation from {pick(TOOLS, rng)}: {_word('person', rng)}: {' '.join(lines)}"


def _plain(lines: list[str], rng: Rng) -> str:
    return pick([" ", "\n"], rng).join(lines)


CARRIERS: Sequence[Carrier] = (
    *(_mail, _mail, _json, _json, _log, _csv, _html, _markdown, _code, _chat, _search, _call),
    *(_plain, _plain),
)
"""One that stands here twice is drawn twice as often."""


def carry(lines: Sequence[str], rng: Rng) -> str:
    """The distinct lines in one of the carriers."""
    return pick(CARRIERS, rng)(list(dict.fromkeys(lines)), rng)
