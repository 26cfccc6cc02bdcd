"""What mkdocs is told beside mkdocs.yml: pages of the root, links out of docs/, the API.

The Markdown is written for whoever reads it in the repository. In the site, pages of the root have
a place of their own, files that pages link to are published beside them, and a link to a folder is
its text alone.
"""

import os
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from tests.source_tree import ROOT, Module, modules

LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)")
ROOT_PAGES = {
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "CHANGELOG.md": "changelog.md",
}
PUBLISHED = "repository"
"""The site's folder of files that are no pages."""
API = "reference/api"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what does not stand in docs/."""
    sources = {page.src_uri: page.content_string for page in files.documentation_pages()}
    for name, uri in ROOT_PAGES.items():
        sources[uri] = (ROOT / name).read_text(encoding="utf-8")
        files.append(File.generated(config, uri, content=sources[uri]))
    for path in sorted({path for uri, text in sources.items() for path in files_linked(text, uri)}):
        source = str(ROOT / path)
        files.append(File.generated(config, f"{PUBLISHED}/{path}", abs_src_path=source))
    for name, text in api_pages():
        files.append(File.generated(config, f"{API}/{name}.md", content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """A page with the site's links in the place of the repository's."""
    del config, files
    uri = page.file.src_uri
    return LINK.sub(lambda link: site_link(link[1], link[2], uri), markdown)


def site_link(text: str, target: str, uri: str) -> str:
    """A Markdown link of the page at `uri`, as it must be in the site."""
    path, _, anchor = target.partition("#")
    if not path or re.match(r"[a-z]+:", target):
        return f"[{text}]({target})"
    found = in_repository(path, uri)
    if (ROOT / found).is_dir():
        return text
    place = os.path.relpath(in_site(found), PurePosixPath(uri).parent)
    return f"[{text}]({place}{'#' if anchor else ''}{anchor})"


def in_repository(path: str, uri: str) -> str:
    """The path from the root of the repository that a page's relative link means."""
    origin = {site: name for name, site in ROOT_PAGES.items()}.get(uri, f"docs/{uri}")
    return os.path.normpath(PurePosixPath(origin).parent / path)


def in_site(path: str) -> str:
    """Where the site has a file of the repository."""
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    return ROOT_PAGES.get(path, f"{PUBLISHED}/{path}")


def files_linked(text: str, uri: str) -> Iterator[str]:
    """The files that a page links to and that are no pages."""
    for _, target in LINK.findall(text):
        path = target.partition("#")[0]
        if path and not re.match(r"[a-z]+:", target):
            found = in_repository(path, uri)
            if in_site(found).startswith(PUBLISHED) and (ROOT / found).is_file():
                yield found


def api_pages() -> Iterator[tuple[str, str]]:
    """Name and text of each page of the API reference: an index, and a page for each room."""
    rooms: dict[str, list[Module]] = {}
    for module in (*modules("guard"), *modules("classifiers")):
        if module.name.count("."):
            rooms.setdefault(".".join(module.name.split(".")[:2]), []).append(module)
    rooms = {room: found for room, found in rooms.items() if found[0].is_package}
    listed = "\n".join(f"- [{room}]({room}.md): {summary(rooms[room][0])}" for room in rooms)
    yield "index", f"# Python API\n\nMade of the docstrings, a page for each room.\n\n{listed}\n"
    for room, found in rooms.items():
        yield room, f"# {room}\n\n" + "\n\n".join(f"::: {module.name}" for module in found)


def summary(module: Module) -> str:
    """The first line of a module's docstring."""
    text = module.text.split('"""')
    return text[1].strip().splitlines()[0] if len(text) > 1 else ""
