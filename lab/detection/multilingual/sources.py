"""The prompt sets: which are held out together, what each row counts as, what is measured."""

import gzip
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import orjson

from classifiers.malicious.data.twins import twins
from classifiers.prompts.labelled import LabelledPrompt

FOLDS: Sequence[frozenset[str]] = tuple(
    frozenset(names.split())
    for names in (
        "verazuo_jailbreak self_reminder gptfuzz giskard_pi garak_misc jailbench_zh pincer_payloads"
        " small_payload_packs misc_injection_lists pyrit_airt bastioncorpus bastionprobe"
        " chat_bench clinc150 cyberseceval_code spikee_seeds agent_redteam_zh agent_safety_zh"
        " agents_wshobson subagents_voltagent advisories square_ko sift_vicuna pubmedqa"
        " atomic_red_team tau_bench tau2_bench abcd_support coconot_contrast med_safety"
        " rebere_small",
        "sap200 aart self_instruct snips awesome_prompts multijail asb_agent aig_agentic_misuse"
        " redcode_exec garak_latent kazkoz_spb awesome_copilot cursorrules aider_prompts"
        " roo_prompts vscode_copilot_snap gaokao agieval_zh security101 atr_negatives bfcl"
        " mcp_servers fivethirtyeight gutenberg_fiction gutenberg_wild japanese_mt_bench medquad"
        " certified_safe mmlu_test cysecbench piguard_valid",
        "trustllm_safety verazuo_forbidden_questions latent_jailbreak flan_cot banking77 gsm8k"
        " mgsm declare_harmful nlu_eval bipia deepset_pi jade_zh gpteacher bbh foresight_base"
        " ko_redteam_indirect ko_redteam_templates tasktracker_trigger wb_redteam"
        " inspect_agent_threat proventra anthropic_skills mustvlad_system payloads_pages tldr_pages"
        " cvalues_zh belle_seeds oasst_fr agentbench intercode swelancer_issues sf_rag_triplets"
        " persistbench fuzzyai_benign",
    )
)
"""Sources that share material (DAN prompts and lists of payloads; one author's agents; tau and
tau2; TrustLLM holds all forbidden questions) stand together."""
LEFT_OUT = frozenset({"composed_docs"})
"""Rows that hold payloads and documents of unnamed other sources: no fold is clean of them."""
COPIED = frozenset({"verazuo_forbidden_questions", "gsm8k"})
"""Sources that others copied: a copy counts for its origin."""
NATIVE = frozenset(
    [
        "jade_zh",
        "jailbench_zh",
        "agent_redteam_zh",
        "agent_safety_zh",
        "ko_redteam_indirect",
        "ko_redteam_templates",
    ]
)
"""Attacks that were written in another language than English."""
DEVELOPER = frozenset(
    [
        "system_prompt",
        "agent_skill",
        "roleplay_prompt",
        "prompt_structured",
        "prompt_image",
        "tool_schema",
    ]
)
"""Kinds that a developer writes."""
THIRD_PARTY = (
    *("document", "email", "web_page", "tool_response", "tool_call", "rag", "fiction"),
    *("prompt_injection_indirect", "agent_trajectory", "security_education"),
)
"""Beginnings of the kinds that neither a developer nor a user writes."""
HARD_KINDS = DEVELOPER | frozenset(
    [
        "hard_benign",
        "security_education",
        "document_security",
        "document_clean",
        "tool_response_clean",
        "tool_call_clean",
        "email_clean",
        "web_page_clean",
        "sensitive_benign",
        "roleplay",
        "code",
        "mixed",
        "agent_request",
    ]
)
HARD_SOURCES = frozenset(
    ["awesome_prompts", "cyberseceval_code", "bipia", "deepset_pi", "piguard_valid"]
)
SPLIT_SOURCES = frozenset(["gpteacher", "declare_harmful", "trustllm_safety", "spikee_seeds"])
"""Sources whose kinds differ so much that each is weighed by itself."""
TRANSLATED = "multijail"
"""One set of requests in ten languages."""
FAMILIES: Mapping[str, str] = {
    "harmful_request": "requests",
    "harmful_request_en": "requests",
    "cyber_request": "requests",
    "jailbreak_template": "jailbreaks",
    "jailbreak_full": "jailbreaks",
    "latent_jailbreak": "jailbreaks",
    "prompt_injection_direct": "injections direct",
    "prompt_injection_indirect": "injections in documents",
    "prompt_extraction": "extraction",
    "mixed": "injections direct",
}
MEASURED_CHARACTERS = 8000
HELD_OUT_TWINS, OTHERS_OF_SET = 400, 1200
MEASURED_OF_KIND, MEASURED_OF_SOURCE = 20, 32


def read_sets(folder: Path) -> list[LabelledPrompt]:
    """Every labelled row of a fold's source in the gzipped JSON Lines of `folder`, once.

    The system prompt of a row, where it has one, stands before its text.
    """
    files = sorted(folder.glob("*.jsonl.gz"), key=lambda f: (_source_of(f) not in COPIED, f.name))
    found: dict[str, LabelledPrompt] = {}
    for prompt in (row for file in files for row in _rows(file)):
        found.setdefault(" ".join(prompt.text.casefold().split()), prompt)
    return list(found.values())


def other_prompts(folder: Path | None) -> list[LabelledPrompt]:
    """What no model learns from: the generators' held-out twins, and the sets of `folder`, at most
    OTHERS_OF_SET prompts of each, chosen by hash."""
    found = twins("held_out", HELD_OUT_TWINS, 0)
    for file in sorted(folder.glob("*.jsonl.gz")) if folder else ():
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            rows = [row for row in map(orjson.loads, lines) if row["label"] != "unknown"]
        name = _source_of(file)
        prompts = [LabelledPrompt(r["text"], name, r["label"], r.get("kind") or "") for r in rows]
        found += sorted(prompts, key=hash_text)[:OTHERS_OF_SET]
    return found


def _source_of(file: Path) -> str:
    return file.name.split(".")[0]


def _rows(file: Path) -> Iterable[LabelledPrompt]:
    known = frozenset().union(*FOLDS) - LEFT_OUT
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for row in map(orjson.loads, lines):
            if row["label"] == "unknown" or row["source"] not in known:
                continue
            text, system = row["text"], row.get("system") or ""
            text = text if system in text else f"{system}\n\n{text}"
            yield LabelledPrompt(text, row["source"], row["label"], row.get("kind") or "")


def fold_of(source: str) -> int:
    """The number of the fold that the source is in; StopIteration for a source of none."""
    return next(number for number, names in enumerate(FOLDS) if source in names)


def family_of(prompt: LabelledPrompt) -> str:
    """An attack family, or which harmless prompts it belongs to: `ordinary` or `hard`."""
    if prompt.label != "malicious":
        hard = prompt.kind in HARD_KINDS or prompt.source in HARD_SOURCES
        return "hard" if hard else "ordinary"
    if prompt.source in NATIVE or prompt.kind.startswith("harmful_request_multilingual"):
        return "languages"
    return FAMILIES.get(prompt.kind, "agents and code")


def group_of(prompt: LabelledPrompt) -> str:
    """The name under which a prompt is weighed: its source, split where kinds differ much."""
    if prompt.source == TRANSLATED:
        return f"{prompt.source}/{prompt.kind.rsplit('_', 1)[-1]}"
    return f"{prompt.source}/{prompt.kind}" if prompt.source in SPLIT_SOURCES else prompt.source


def author_of(prompt: LabelledPrompt) -> str:
    """Who writes such a text: `developer`, `third party` or `user`."""
    if prompt.kind in DEVELOPER:
        return "developer"
    return "third party" if prompt.kind.startswith(THIRD_PARTY) else "user"


def hash_text(prompt: LabelledPrompt) -> str:
    """What rows are ordered by where some are chosen: no property of the text."""
    return hashlib.sha256(prompt.text.encode(errors="surrogatepass")).hexdigest()


def measured_prompts(prompts: Iterable[LabelledPrompt]) -> list[LabelledPrompt]:
    """At most so many of each source, class and kind, chosen by hash, long texts cut."""
    sources: Counter[tuple[str, str]] = Counter()
    kinds: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    chosen = []
    for prompt in sorted(prompts, key=hash_text):
        key = prompt.source, prompt.label
        most = 400 if prompt.source == TRANSLATED else MEASURED_OF_SOURCE
        if kinds[key][prompt.kind] < MEASURED_OF_KIND and sources[key] < most:
            kinds[key][prompt.kind] += 1
            sources[key] += 1
            text = prompt.text[:MEASURED_CHARACTERS]
            chosen.append(LabelledPrompt(text, prompt.source, prompt.label, prompt.kind))
    return chosen
