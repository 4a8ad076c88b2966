"""However calls come, an address has no more than so many mails in any window, and hears of all."""

from hypothesis import given
from hypothesis import strategies as st

from fsctl.mail.pacing import MOST, WINDOW_MS, next_try_ms, pace


@given(st.lists(st.tuples(st.integers(0, 400_000), st.integers(0, 30)), max_size=40))
def test_no_flood_of_mails_and_none_is_lost(bursts: list[tuple[int, int]]) -> None:
    now, due_at, waiting, told, came = 0, 0, 0, 0, 0
    sent: list[int] = []
    for after, calls in [*bursts, (WINDOW_MS, 0), (WINDOW_MS, 0)]:
        now += after
        waiting, came = waiting + calls, came + calls
        if not waiting or now < due_at:
            continue
        recent = [one for one in sent if one > now - WINDOW_MS]
        found = pace(waiting, len(recent), max(recent, default=0))
        if found.held_until is not None:
            assert now < found.held_until <= now + WINDOW_MS
            due_at = found.held_until
            continue
        sent += [now] * (1 if found.together else waiting)
        told, waiting = told + waiting, 0
    assert told == came
    for at in sent:
        assert sum(at - WINDOW_MS < one <= at for one in sent) <= MOST


def test_a_mail_is_tried_less_and_less_often() -> None:
    times = [next_try_ms(tries) for tries in range(40)]
    assert times == sorted(times)
    assert (times[0], times[-1]) == (60_000, 3_600_000)
