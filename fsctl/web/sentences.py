"""Sentences that other parts of fsctl make, in another language.

``fsctl.admin`` says in English what is wrong, for every face the same: ``wait is 1 to 3600 seconds,
not 5000``. A catalog knows each such sentence by its form, ``wait is {0} to {1} seconds, not {2}``
(messages of the context ``sentence``), and so the form is found again in the sentence, and what
stands in its places goes into the translation. What is in a place may be a sentence too: ``group
"sales"``. ``forms_of`` reads the forms from the source, so that a test can tell which are missing.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog, Message

CONTEXT = "sentence"
_PLACE = re.compile(r"\{([0-9])\}")
_DEEPEST = 3
_LONGEST = 1_000
"""Characters of a sentence that is looked at: no name that somebody chose makes that expensive."""


@dataclass(frozen=True, slots=True)
class _Form:
    pattern: re.Pattern[str]
    translation: str
    plain: int


class Sentences:
    """Translates sentences by a catalog's forms; one that has none stays as it is."""

    def __init__(self, catalog: Catalog | dict[str, Message]) -> None:
        found = catalog if isinstance(catalog, Catalog) else ()
        forms = [_form(m) for m in found if m.id and m.context == CONTEXT and m.string]
        # The form with the most words of its own is the one that was meant.
        self._forms = sorted(forms, key=lambda form: -form.plain)

    def translate(self, text: str, depth: int = 0) -> str:
        """Return the sentence in the catalog's language."""
        forms = self._forms if depth < _DEEPEST and len(text) <= _LONGEST else ()
        for form in forms:
            match = form.pattern.fullmatch(text)
            if match:
                inner = [self.translate(part, depth + 1) for part in match.groups()]
                return form.translation.format(*inner)
        return text


def _form(message: Message) -> _Form:
    text = str(message.id)
    parts = _PLACE.split(text)
    pattern = "".join(re.escape(part) if at % 2 == 0 else "(.*?)" for at, part in enumerate(parts))
    plain = sum(len(part) for part in parts[::2])
    return _Form(re.compile(pattern, re.DOTALL), str(message.string), plain)


# Finding the forms in the source


def forms_of(path: Path, makers: Iterable[str]) -> Iterator[str]:
    """Yield the form of every sentence that a module makes.

    They are the texts that it yields, and those that it gives to these callables.
    """
    names = set(makers)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        told: list[ast.expr] = []
        if isinstance(node, ast.Call) and _name(node.func) in names:
            told = node.args
        elif isinstance(node, ast.Yield | ast.YieldFrom) and node.value is not None:
            told = [node.value]
        for one in told:
            form = _text(one.elt if isinstance(one, ast.GeneratorExp) else one)
            if form is not None and " " in form and "\n" not in form:
                yield form


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def _text(node: ast.expr) -> str | None:
    """Return a text or an f-string as a form; None for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if not isinstance(node, ast.JoinedStr):
        return None
    places = 0
    form = ""
    for part in node.values:
        if isinstance(part, ast.Constant):
            form += str(part.value)
        else:
            form += f"{{{places}}}"
            places += 1
    return form
