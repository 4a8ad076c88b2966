"""What controllers tell each other of lines, through the database."""

from sqlalchemy import Engine

from fsctl.hunt.line import Others, Ticket
from fsctl.store.engine import reading, writing
from fsctl.store.lines import MOST_TOLD, read_others, write_lines
from fsctl.store.live import FRESH, forget_dead, forget_live, write_live
from fsctl.store.memory import GroupKey

NOW = 1_800_000_000_000
SALES, DESK = ("", "sales"), ("b.example", "desk")
FIRST, SECOND = Ticket(1.5, "u1"), Ticket(2.0, "u2")
LINE = Others(2, 2, (FIRST, SECOND), frozenset({FIRST}))


def tell(
    engine: Engine, controller: str, lines: dict[GroupKey, Others], gone: tuple[GroupKey, ...] = ()
) -> None:
    with writing(engine) as session:
        write_live(session, controller, [], [], NOW)
        write_lines(session, controller, gone, lines)


def others(engine: Engine, controller: str, now: int = NOW) -> dict[GroupKey, Others]:
    with reading(engine) as session:
        return read_others(session, controller, now)


def test_each_hears_of_the_others(engine: Engine) -> None:
    tell(engine, "a", {SALES: LINE})
    tell(engine, "b", {SALES: Others(1), DESK: Others(3)})
    assert others(engine, "b") == {SALES: LINE}
    assert others(engine, "a") == {SALES: Others(1), DESK: Others(3)}
    assert others(engine, "c")[SALES] == Others(3, 2, (FIRST, SECOND), frozenset({FIRST}))
    tell(engine, "a", {SALES: Others(0, 1, (SECOND,))})
    assert others(engine, "b") == {SALES: Others(0, 1, (SECOND,))}
    tell(engine, "b", {}, gone=(SALES,))
    assert others(engine, "a") == {DESK: Others(3)}


def test_what_is_silent_or_has_ended_counts_no_more(engine: Engine) -> None:
    tell(engine, "a", {SALES: LINE})
    later = NOW + round(FRESH * 1000) + 1
    assert others(engine, "b", later) == {}
    with writing(engine) as session:
        forget_live(session, "a")
    tell(engine, "c", {SALES: LINE})
    with writing(engine) as session:
        forget_dead(session, later)
    assert others(engine, "b") == {}


def test_of_a_long_line_the_first_are_told(engine: Engine) -> None:
    tickets = tuple(Ticket(float(number), f"u{number}") for number in range(MOST_TOLD + 50))
    tell(engine, "a", {SALES: Others(0, len(tickets), tickets)})
    found = others(engine, "b")[SALES]
    assert (found.standing, found.tickets) == (MOST_TOLD + 50, tickets[:MOST_TOLD])
