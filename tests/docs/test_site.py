"""The documentation's site: links of the repository become its own, and nothing is foreign."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.site import API, api_pages, files_linked, in_repository, site_link
from tests.source_tree import ROOT, modules

FOREIGN = re.compile(r"""<(?:script|img|iframe|link)\b[^>]*?(?:src|href)=["']?(https?:[^"'\s>]+)""")


@pytest.mark.parametrize(
    ("target", "uri", "link"),
    [
        ("../reference/fields.md#a", "guides/operate.md", "[x](../reference/fields.md#a)"),
        ("#here", "guides/operate.md", "[x](#here)"),
        ("https://docs.vllm.ai", "index.md", "[x](https://docs.vllm.ai)"),
        ("../SECURITY.md", "index.md", "[x](security.md)"),
        ("docs/guides/forget.md", "contributing.md", "[x](guides/forget.md)"),
        ("../../Dockerfile", "guides/operate.md", "[x](../repository/Dockerfile)"),
        ("../../deploy/observability", "guides/operate.md", "x"),
    ],
)
def test_links(target: str, uri: str, link: str) -> None:
    assert site_link("x", target, uri) == link


def test_a_link_is_read_from_the_pages_own_place() -> None:
    assert in_repository("docs/index.md", "contributing.md") == "docs/index.md"
    assert in_repository("../Makefile", "index.md") == "Makefile"


def test_files_that_are_no_pages_are_published() -> None:
    text = "[a](../Makefile#x) [b](guides/operate.md) [c](../deploy) [d](../README.md)"
    assert list(files_linked(text, "index.md")) == ["Makefile", "README.md"]


def test_every_module_is_in_the_api_reference() -> None:
    text = "\n".join(page for _, page in api_pages()) + "\n"
    packages = (*modules("guard"), *modules("classifiers"))
    inside = {m.name for m in packages if "." in m.name and "__main__" not in m.name}
    assert not {name for name in inside if not re.search(rf"^::: {name}$", text, re.MULTILINE)}


def test_the_site_builds_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", tmp_path],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    pages = [page.read_text(encoding="utf-8") for page in tmp_path.rglob("*.html")]
    assert (tmp_path / API / "guard.wire.html").exists()
    assert not [
        link for page in pages for link in FOREIGN.findall(page) if "rel=canonical" not in link
    ]
