"""CSV that spreadsheets open as it is meant: separators, byte order mark, cells that stay texts.

Owns the form of every CSV file that fsctl writes. A spreadsheet runs a text such as ``=1+1``, even
in the middle of a cell when it expects another separator than the file has, and it makes ``602`` of
``0602`` and a date of ``1-2``. An apostrophe in front keeps a text as it is; ``unguarded`` takes it
away again.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from fsctl.admin.errors import WrongValue

SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t"}
BYTE_ORDER_MARK = "\ufeff"
ROWS_AT_ONCE = 500
"""Rows that are handed over together."""

# What begins a formula, in every width that Unicode has.
_SIGNS = "=\uff1d\ufe66+\uff0b\ufe62\\-\uff0d\ufe63\u2212@\uff20\ufe6b"
_PADDING = r"[\s\"\u200b-\u200f\u2060\ufeff]*"
_RISKY = re.compile(rf"{_PADDING}[{_SIGNS}]|['\t\r\n]")
# A list of telephone numbers computes nothing.
_FORMULA = rf"(?=[{_SIGNS}])(?!\+[0-9]+(?:[;,\t\r\n]|\Z))"
_CELL_WITHIN = re.compile(rf"([;,\t\r\n]{_PADDING})('*){_FORMULA}")
_GUARD_WITHIN = re.compile(rf"([;,\t\r\n]{_PADDING})'('*){_FORMULA}")

_INTEGER = re.compile("0|[1-9][0-9]{0,14}")
_MONEY = r"z\u0142|pln|eur|usd|gbp|chf|[\u20ac$\u00a3]"
_LIKE_A_NUMBER = re.compile(
    rf"(?:{_MONEY})?[\W_]*[0-9][0-9\W_]*"
    rf"(?:e[\W_]*[0-9]+|t[0-9:.,]+z?|[ap]m?|{_MONEY})?\W*",
    re.IGNORECASE,
)
_LIKE_A_DATE = re.compile(
    r"[0-9\W_]*(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
    r"|sty|lut|kwi|maj|cze|lip|sie|wrz|pa\u017a|lis|gru)[^\W\d_]*[0-9\W_]*",
    re.IGNORECASE,
)
_TRUTHS = {"true": "true", "false": "false", "prawda": "true", "fa\u0142sz": "false"}
"""What a spreadsheet makes of ``true`` and ``false``, in English and Polish."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file is written. Where semicolons separate, numbers have a decimal comma."""

    separator: str = ","
    mark: bool = False
    """Whether a byte order mark says that it is UTF-8: Excel takes it for something else."""

    @classmethod
    def named(cls, separator: str | None, *, mark: bool = False) -> "Dialect":
        """Return the dialect of a separator's name; None is a comma. Raises WrongValue."""
        if separator is not None and separator not in SEPARATORS:
            raise WrongValue(f"separator is one of {', '.join(SEPARATORS)}")
        return cls(SEPARATORS[separator or "comma"], mark)


PLAIN = Dialect()
"""For programs."""


def write_rows(
    dialect: Dialect, heads: Sequence[str], rows: Iterable[Sequence[object]]
) -> Iterator[str]:
    """Yield a CSV file (RFC 4180, but lines end in LF) in pieces, as the rows come."""
    piece = io.StringIO()
    writer = csv.writer(
        piece,
        delimiter=dialect.separator,
        quoting=csv.QUOTE_NONNUMERIC,
        lineterminator="\n",
    )
    piece.write(BYTE_ORDER_MARK if dialect.mark else "")
    writer.writerow(heads)
    waiting = iter(rows)
    while some := list(islice(waiting, ROWS_AT_ONCE)):
        writer.writerows([_cell(value, dialect) for value in row] for row in some)
        yield piece.getvalue()
        piece.seek(0)
        piece.truncate()
    yield piece.getvalue()


def _cell(value: object, dialect: Dialect) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        # Six decimals are more than any number of ours has a meaning for.
        text = f"{value:.6f}".rstrip("0").rstrip(".")
        return text.replace(".", ",") if dialect.separator == ";" else float(text)
    return value if value is None or isinstance(value, int) else guarded(str(value))


def guarded(text: str) -> str:
    """Return a text as a cell that a spreadsheet shows and saves as it is."""
    within = _CELL_WITHIN.sub(r"\1'\2", text)
    return f"'{within}" if _RISKY.match(text) or _is_converted(text) else within


def unguarded(cell: str) -> str:
    """Return the text of a cell: what ``guarded`` was given."""
    return _GUARD_WITHIN.sub(r"\1\2", cell.removeprefix("'"))


def truth(text: str) -> str:
    """Return ``true`` or ``false`` for what a spreadsheet makes of it; else the text as it is."""
    return _TRUTHS.get(text.strip().casefold(), text)


def _is_converted(text: str) -> bool:
    """Whether a spreadsheet would take a text for a number, a date or a truth value."""
    if _INTEGER.fullmatch(text) or not text.strip():
        return False
    if text.strip().casefold() in _TRUTHS:
        return True
    dated = _LIKE_A_DATE.fullmatch(text) and any(char.isdigit() for char in text)
    return bool(dated or (";" not in text and _LIKE_A_NUMBER.fullmatch(text)))
