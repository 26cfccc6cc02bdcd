"""Harmless texts that look odd: code, CSV, logs and mathematics, with words of six languages.

All invented, the same for a seed. For measuring what views make of them.
"""

import base64
import hashlib
import random
from collections.abc import Callable

WORDS = {
    "en": "water level sensor harbour number summary every before after between report station",
    "de": "Wasserstand Messstelle Hafen Anzahl Übersicht jede vor nach zwischen Bericht Bahnhof",
    "fr": "niveau capteur port nombre résumé chaque avant après entre rapport gare été",
    "es": "nivel sensor puerto número resumen cada antes después entre informe estación año",
    "ru": "уровень датчик гавань число сводка каждый до после между отчёт станция год",
    "zh": "水位 传感器 港口 数量 摘要 每个 之前 之后 之间 报告 车站 年份",
}
_HUMPS = (
    *("get", "set", "load", "merge", "count", "parse", "find", "next"),
    *("user", "file", "index", "total", "value", "first", "last"),
)
_UNITS = ("cm", "ms", "kB", "°C", "%")
_LEVELS = ("INFO", "WARNING", "ERROR", "DEBUG")
Generator = Callable[[random.Random, list[str]], str]


def _name(rng: random.Random) -> str:
    parts = rng.choices(_HUMPS, k=rng.randint(2, 5))
    if rng.random() < 0.5:
        return "_".join(parts)
    return parts[0] + "".join(map(str.capitalize, parts[1:]))


def _code(rng: random.Random, words: list[str]) -> str:
    names = [_name(rng) for _ in range(6)]

    def say(count: int) -> str:
        return " ".join(rng.choices(words, k=count))

    python = (
        f"def {names[0]}({names[1]}, {names[2]}=0x{rng.randrange(1 << 20):x}):\n"
        f'    """{say(6).capitalize()}."""\n'
        f"    # {say(5)}\n"
        f"    rows = [{', '.join(repr(w) for w in rng.choices(words, k=4))}]\n"
        f"    path = '/var/lib/' + {names[1]} + \"/{rng.choice(_HUMPS)}.csv\"\n"
        f'    text = "{say(3)} " + "{say(2)}"\n'
        f"    return {names[3]}(rows[{rng.randrange(4)}:], key=lambda x: -x**2)  # {say(3)}\n"
    )
    script = (
        f"// {say(4)}\nconst {names[0]} = ({names[1]}) => {{\n"
        f"  const {names[2]} = `${{{names[1]}.{names[3]}}}-{rng.randrange(9999)}`;\n"
        f"  return {names[4]}.map((x) => x?.{names[5]} ?? '{rng.choice(words)}');\n}};\n"
    )
    page = (
        f"<table class='{rng.choice(_HUMPS)}'><tr><td>{say(1)}</td><td>{rng.random():.3f}</td></tr>"
        f"<tr><td><b>{say(1)}</b>: {say(2)}</td><td>{say(1)}&nbsp;{rng.choice(_UNITS)}</td></tr>"
        "</table>"
    )
    query = (
        f"SELECT {names[0]}, COUNT(*) FROM {names[1]}"  # noqa: S608
        f" WHERE {names[2]} LIKE '%{rng.choice(words)}%';"
    )
    return rng.choice((python, script, page, query))


def _table(rng: random.Random, words: list[str]) -> str:
    gap = rng.choice(",;\t|")
    header = gap.join(rng.choices(words, k=5))
    rows = [
        gap.join(
            (
                f"2026-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}",
                rng.choice(words),
                f"{rng.uniform(-40, 900):.2f}",
                str(rng.randint(1, 26)),
                hashlib.sha1(rng.randbytes(4), usedforsecurity=False).hexdigest()[:12],
            )
        )
        for _ in range(rng.randint(4, 20))
    ]
    return "\n".join((header, *rows))


def _log(rng: random.Random, words: list[str]) -> str:
    return "\n".join(_line(rng, words) for _ in range(rng.randint(4, 16)))


def _line(rng: random.Random, words: list[str]) -> str:
    clock = f"{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}:07.{rng.randrange(999):03d}"
    return (
        f"2026-11-{rng.randint(1, 30):02d}T{clock}Z {rng.choice(_LEVELS)} "
        f"[{_name(rng)}-{rng.randint(1, 9)}] {rng.choice(words)}={rng.randrange(10**6)} "
        f"ip=10.0.{rng.randrange(256)}.{rng.randrange(256)} id={rng.randbytes(8).hex()} "
        f"key={base64.b64encode(rng.randbytes(18)).decode()} {' '.join(rng.choices(words, k=4))}"
    )


def _mathematics(rng: random.Random, words: list[str]) -> str:
    a, b, c = (rng.randint(2, 25) for _ in range(3))
    say = " ".join(rng.choices(words, k=5))
    listed = ", ".join(str(rng.randint(1, 26)) for _ in range(rng.randint(6, 20)))
    return rng.choice(
        (
            f"{say}: \\frac{{{a}x^2 - {b}}}{{\\sqrt{{x+{c}}}}} = \\sum_{{i=1}}^{{n}} a_i, x ∈ ℝ.",
            f"{say}: {listed}. µ = {a}.{b}, σ² = {c}, P(A|B) ≤ {a}/{a + b}?",
            f"f(x) = {a}x³ − {b}x + {c}; f'(x) = {3 * a}x² − {b}; {say}; x·y − z·w − a·b",
            f"| {a} {b} {c} |\n| {b} {c} {a} |\n| {c} {a} {b} |\n{say}: det = ?",
        )
    )


GENERATORS: dict[str, Generator] = {
    "code": _code,
    "CSV": _table,
    "logs": _log,
    "mathematics": _mathematics,
}


def harmless_texts(count: int, seed: int) -> list[tuple[str, str]]:
    """`count` texts with their kinds, kinds and languages in turn."""
    rng = random.Random(seed)
    vocabularies = [words.split() for words in WORDS.values()]
    kinds = list(GENERATORS.items())
    return [
        (kind, generate(rng, vocabularies[index // len(kinds) % len(vocabularies)]))
        for index in range(count)
        for kind, generate in [kinds[index % len(kinds)]]
    ]
