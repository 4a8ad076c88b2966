"""What no text of ours holds, as a condition for both databases."""

from typing import Any

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement


class Printable(ColumnElement[bool]):
    """A condition: the column holds no control character (C0, DEL, C1).

    The only one that the two engines cannot be told in the same words.
    """

    inherit_cache = False

    def __init__(self, column: str) -> None:
        self.column = column


@compiles(Printable, "sqlite")
def _printable_in_sqlite(element: Printable, _compiler: SQLCompiler, **_: Any) -> str:
    column = element.column
    controls = "'*[' || char(1) || '-' || char(31) || char(127) || '-' || char(159) || ']*'"
    return f"{column} NOT GLOB {controls} AND instr({column}, char(0)) = 0"


@compiles(Printable)
def _printable_elsewhere(element: Printable, _compiler: SQLCompiler, **_: Any) -> str:
    return rf"{element.column} !~ '[\u0001-\u001f\u007f-\u009f]'"
