"""Size, names, docstrings and tests of the sources: what review would otherwise have to watch."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.source_tree import ROOT, Function, Module, modules

MOST_FILE_LINES = 300
MOST_FUNCTION_LINES = 60
VAGUE_NAMES = {"base", "common", "core", "handler", "helpers", "manager", "misc", "util", "utils"}
OURS = (*modules("guard"), *modules("classifiers"))
ALL = (*OURS, *modules("tests"))

# Modules of `guard` without a test file of their own, and the one that tests them.
TESTED_ELSEWHERE: Mapping[str, str] = {
    "guard.app": "guard/test_endpoint.py",  # every rig there is a whole app
    "guard.cli": "test_packaging.py",  # the installed commands are run
    "guard.errors": "guard/wire/test_envelopes.py",
    "guard.exchange": "guard/test_endpoint.py",
    "guard.manifest": "guard/test_artifacts.py",
    "guard.service_routes": "guard/test_endpoint.py",
    "guard.stored_responses": "guard/wire/test_responses_clients.py",
    "guard.tokenizers": "e2e/test_main_job.py",
    "guard.corruption.rewriting": "e2e/test_main_job.py",
    "guard.detectors.contract": "guard/detectors/test_loading.py",  # types only
    "guard.operations.metrics": "guard/test_endpoint.py",
    "guard.screening.ciphers": "guard/screening/test_views.py",
    "guard.screening.encodings": "guard/screening/test_views.py",
    "guard.screening.glyphs": "guard/screening/test_views.py",
    "guard.screening.lookalikes": "guard/screening/test_views.py",
    "guard.screening.plausibility": "guard/screening/test_views.py",
    "guard.screening.spelling": "guard/screening/test_views.py",
    "guard.screening.pieces": "guard/screening/test_screener.py",
    "guard.screening.policy": "guard/screening/test_screener.py",
    "guard.screening.verdict": "guard/screening/test_screener.py",
    "guard.upstream.client": "guard/test_endpoint.py",
    "guard.wire.contract": "guard/wire/test_messages_answers.py",  # types only
    "guard.wire.fields": "guard/wire/test_chat.py",
    "guard.wire.protocols": "test_docs.py",
    "guard.wire.sampling": "guard/wire/test_chat.py",
    "guard.wire.messages.counting": "guard/wire/test_messages_fields.py",
    "guard.wire.messages.errors": "guard/wire/test_messages_answers.py",
    "guard.wire.messages.protocol": "guard/wire/test_messages_answers.py",
    "guard.wire.messages.settings": "guard/wire/test_messages_fields.py",
    "guard.wire.responses.call": "guard/wire/test_responses_fields.py",
    "guard.wire.responses.protocol": "guard/wire/test_responses_answers.py",
    "guard.wire.responses.settings": "guard/wire/test_responses_fields.py",
}
# Test files of `guard` that mirror no module.
TESTS_OF_MANY = {
    "guard/wire/test_messages_clients.py",  # Anthropic's own client
    "guard/wire/test_responses_clients.py",  # OpenAI's own client
}
