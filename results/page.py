"""The look of the report: one HTML page with everything inside, no network, for desk, phone and paper."""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from results.page_script import SCRIPT
from results.page_style import STYLE

__all__ = ["Block", "Section", "page"]

_PANEL = (
    '<aside id="cell-origin" aria-live="polite" aria-label="Where the number comes from" hidden>'
    '<button type="button" aria-label="Close">&times;</button><strong></strong><p></p></aside>'
)


class Block(NamedTuple):
    """A table or figure of the page.

    Attributes:
        name: its HTML id.
        title: its name in the list of contents.
        html: what is shown.
    """

    name: str
    title: str
    html: str


class Section(NamedTuple):
    """A part of the page with a heading.

    Attributes:
        name: its HTML id.
        title: the heading.
        blocks: its tables or figures, listed in the contents.
        html: what else it shows, after the blocks.
    """

    name: str
    title: str
    blocks: Sequence[Block] = ()
    html: str = ""


def page(title: str, lead: str, sections: Sequence[Section]) -> str:
    """Return the whole page; `title` and `lead` are plain text."""
    links = "".join(f'<a href="#{escape(one.name)}">{escape(one.title)}</a>' for one in sections)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<link rel="icon" href="data:,">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f'<header><h1>{escape(title)}</h1><p class="lead">{escape(lead)}</p></header>\n'
        f'<nav class="bar" aria-label="Sections">{links}</nav>\n'
        f'<nav class="contents" aria-label="Contents">{"".join(map(_contents, sections))}</nav>\n'
        f"<main>\n{''.join(map(_section, sections))}</main>\n{_PANEL}\n<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )


def _contents(section: Section) -> str:
    if not section.blocks:
        return ""
    items = "".join(f'<li><a href="#{escape(one.name)}">{escape(one.title)}</a></li>' for one in section.blocks)
    heading = f"{escape(section.title)} ({len(section.blocks)})"
    return f"<details open><summary>{heading}</summary><ul>{items}</ul></details>\n"


def _section(section: Section) -> str:
    blocks = "".join(one.html for one in section.blocks)
    return f'<section id="{escape(section.name)}"><h2>{escape(section.title)}</h2>\n{blocks}{section.html}</section>\n'
