"""The little Markdown that generated pages are made of."""

import re
from collections.abc import Iterable, Sequence

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|$~#^])")


def plain(text: str) -> str:
    """Return a text so that Markdown takes no character of it for markup."""
    return _SPECIAL.sub(r"\\\1", text)


def code(text: str) -> str:
    """Return a text as code, "" as nothing."""
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}" if text else ""


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; its cells are Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def definitions(pairs: Iterable[tuple[str, str]]) -> str:
    """Return a list of what is defined, each with its definition; both are Markdown."""
    return "\n".join(f"{term}\n: {text}\n" for term, text in pairs)


def page(title: str, *parts: str) -> str:
    """Return a page: a title, and parts with an empty line between them."""
    return "\n\n".join([f"# {title}", *(part.strip("\n") for part in parts if part)]) + "\n"
