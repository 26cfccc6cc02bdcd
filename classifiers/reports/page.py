"""HTML reports of training and evaluation: one file, self-contained, every text escaped."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from classifiers.reports.plots import Picture

if TYPE_CHECKING:
    from jinja2 import Template

TEMPLATE = "report.html.jinja"

Cell = str | float | int | None


@dataclass(slots=True)
class HtmlReport:
    """A page that is built from top to bottom; every method returns the report itself."""

    title: str
    _parts: list[dict[str, Any]] = field(default_factory=list)

    def section(self, heading: str) -> Self:
        """A heading."""
        return self._add("section", text=heading)

    def paragraph(self, text: str) -> Self:
        """Running text."""
        return self._add("paragraph", text=text)

    def table(
        self, header: Sequence[str], rows: Iterable[Sequence[Cell]], caption: str = ""
    ) -> Self:
        """A table; floats are shown with three decimals, None and NaN as a dash."""
        return self._add("table", header=header, rows=list(rows), caption=caption)

    def picture(self, picture: Picture, caption: str = "") -> Self:
        """A figure."""
        svg = b64encode(picture.svg).decode()
        return self._add("picture", svg=svg, alt=picture.alt, caption=caption)

    def html(self) -> str:
        """The whole page."""
        return _template().render(title=self.title, parts=self._parts)

    def write(self, path: Path) -> None:
        """The page as a file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.html(), encoding="utf-8")

    def _add(self, kind: str, **content: Any) -> Self:
        self._parts.append({"kind": kind, **content})
        return self


@cache
def _template() -> "Template":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["shown"] = _shown
    return environment.get_template(TEMPLATE)


def _shown(cell: Cell) -> str:
    if isinstance(cell, str | int):
        return str(cell)
    return "–" if cell is None or cell != cell else f"{cell:.3f}"  # NaN is not itself
