"""Nothing that a stranger chooses is cached without a bound on how many entries and how long.

A new cache makes ``test_every_cache_is_reviewed`` fail: say here what its keys are and what bounds
them. A text that a stranger chose needs ``cache_of_texts``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import fsctl
from fsctl.caches import TextCache, cache_of_texts
from fsctl.cli.serve import _keys
from fsctl.esl.quoting import _check_name
from fsctl.esl.routes import _compiled
from fsctl.hunt.opening import read_dates, read_hours, zone
from fsctl.hunt.template import _taken_apart
from fsctl.store.tables import name_key

PACKAGE = Path(fsctl.__file__).parent
MAKERS = {"cache", "lru_cache", "cached_property", "kept", "cache_of_texts"}
LONG = "a" * 1_000_000

REVIEWED = {
    # Texts of any kind, bounded by number and length.
    "cli/serve.py keys": "cache_of_texts",
    "esl/listener.py _may_connect": "cache_of_texts",
    "esl/quoting.py _check_name": "cache_of_texts",
    "esl/routes.py _compiled": "cache_of_texts",
    "http_server.py _may_connect": "cache_of_texts",
    "hunt/opening.py read_dates": "cache_of_texts",
    "hunt/opening.py read_hours": "cache_of_texts",
    "hunt/clock.py zone": "cache_of_texts",
    "hunt/template.py _taken_apart": "cache_of_texts",
    "store/tables.py name_key": "cache_of_texts",
    # Groups as administrators made them; of each the latest MOST_KEPT.
    "controller/sounds.py prompts_of": "kept",
    "hunt/nesting.py _by_bare_name": "kept",
    "hunt/nesting.py _schedule_as_ever": "kept",
    "hunt/nesting.py everybody": "kept",
    "hunt/nesting.py has_external": "kept",
    "hunt/nesting.py who_confirms": "kept",
    "store/call_records.py _is_clean_group": "lru_cache",
    "store/call_records.py group_of": "lru_cache",
    "store/call_records.py group_text": "kept",
    "store/call_writing.py _digest": "lru_cache",
    # Languages and dialects: a handful.
    "catalogs.py catalog": "cache",
    "catalogs.py translations": "cache",
    "store/call_writing.py _attempts_statement": "lru_cache",
    "store/call_writing.py _calls_statement": "cache",
    "store/call_writing.py _groups_statement": "cache",
    "store/memory.py _statement": "cache",
    "web/languages.py _sentences": "cache",
    # The package's own files, this process, nothing at all.
    "admin/passwords.py _nobodys": "cache",
    "controller/recorder.py _name": "lru_cache",
    "web/app.py _version": "cache",
    # Of one object, and gone with it.
    "caches.py _cached": "lru_cache",
    "cli/context.py loaded": "cached_property",
    "web/switches.py default_domain": "cached_property",
    "web/switches.py users": "cached_property",
}


def caches() -> Iterator[tuple[str, str]]:
    """Yield each cache of the package: where it is with the function's name, and its kind."""
    for path in sorted(PACKAGE.rglob("*.py")):
        where = path.relative_to(PACKAGE).as_posix()
        seen: set[ast.AST] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for decorator in node.decorator_list:
                    if maker := maker_of(decorator):
                        seen.update(ast.walk(decorator))
                        yield f"{where} {node.name}", maker
            elif isinstance(node, ast.Assign) and (maker := called_maker(node.value, seen)):
                target = node.targets[0]
                name = target.attr if isinstance(target, ast.Attribute) else ast.unparse(target)
                yield f"{where} {name}", maker


def maker_of(node: ast.expr) -> str | None:
    """Return which kind of cache an expression makes."""
    node = node.func if isinstance(node, ast.Call) else node
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", None)
    return name if name in MAKERS else None


def called_maker(node: ast.expr, seen: set[ast.AST]) -> str | None:
    """Return which kind of cache a value is made with: ``lru_cache(100)(function)``."""
    calls = [one for one in ast.walk(node) if isinstance(one, ast.Call) and one not in seen]
    return next((maker for one in calls if (maker := maker_of(one))), None)


def test_every_cache_is_reviewed() -> None:
    assert dict(caches()) == REVIEWED


CACHES_OF_TEXTS: list[TextCache[object]] = [
    _check_name, _compiled, _keys("PL"), _taken_apart, name_key, read_dates, read_hours, zone,
]  # fmt: skip


@pytest.mark.parametrize("cached", CACHES_OF_TEXTS, ids=lambda one: str(one.__name__))
def test_a_long_text_leaves_nothing_behind(cached: TextCache[object]) -> None:
    cached.clear()
    for text in (LONG, LONG + "b"):
        with suppress(ValueError):  # it is no name, zone or date
            cached(text)
    assert len(cached) == 0


def test_a_short_text_is_computed_once() -> None:
    asked: list[str] = []

    @cache_of_texts(2, 3)
    def length(text: str) -> int:
        asked.append(text)
        return len(text)

    assert [length(text) for text in ("abc", "abc", "abcd", "abcd")] == [3, 3, 4, 4]
    assert asked == ["abc", "abcd", "abcd"]
    for text in ("a", "b", "c"):
        length(text)
    assert len(length) == 2
