"""Labelled prompts of two classes that one word tells apart, from several sources."""

from classifiers.prompts.labelled import LabelledPrompt

SUBJECTS = ("the river", "the bridge", "a poem", "the born", "me", "what was")
BAD, GOOD = "harmful_request", "instruction"


def prompts() -> list[LabelledPrompt]:
    """Twelve sources' worth of toy prompts: `write` is malicious, `tell` benign."""
    rows = []
    for number in range(6):
        for subject in SUBJECTS:
            for verb, label, kind in (("write", "malicious", BAD), ("tell", "benign", GOOD)):
                text = f"{verb} {subject} {number} about {subject}"
                rows.append(LabelledPrompt(text, f"{label}-{number}", label, kind))  # type: ignore[arg-type]
    return rows
