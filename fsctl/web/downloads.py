"""Files that a browser or a program downloads: how their CSV is written, and their headers."""

from collections.abc import Iterable

from flask import Response, request

from fsctl.admin.spreadsheet import Dialect
from fsctl.web.languages import language

_OF_LANGUAGE = {"pl": "semicolon"}
"""What separates cells for a spreadsheet in the settings of a language; a comma in any other."""


def for_people() -> Dialect:
    """Return what a spreadsheet in the user's language opens, unless another separator is asked."""
    asked = request.args.get("separator") or _OF_LANGUAGE.get(language(), "comma")
    return Dialect.named(asked, mark=True)


def for_programs() -> Dialect:
    """Return CSV with commas and without a byte order mark, unless it is asked for otherwise."""
    mark = request.args.get("bom", "0") == "1"
    return Dialect.named(request.args.get("separator"), mark=mark)


def file_answer(pieces: Iterable[str], name: str) -> Response:
    """Return a file to be kept under this name, ``.csv`` or ``.yaml``, as its pieces come."""
    form = name.rpartition(".")[2]
    response = Response(pieces, 200)
    response.headers["Content-Type"] = f"text/{form}; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
