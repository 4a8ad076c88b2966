"""What a controller answers beside calls: whether it lives and is ready, and the dialplan."""

import http.client
from collections.abc import Iterator
from http import HTTPStatus

import gevent

from fsctl.doctor.finding import Finding, fault, ok
from fsctl.doctor.listener import reached
from fsctl.settings import Settings
from fsctl.settings_values import Address

PATIENCE = 3.0
"""Seconds for an answer."""
LARGEST = 65_536
"""Bytes of an answer that are looked at."""
METRICS, DIALPLAN = "metrics", "mod_xml_curl"

Answer = tuple[int, str]


def examine_beside(settings: Settings) -> Iterator[Finding]:
    """Ask at the addresses that are set; where none is, nobody means to be answered."""
    if settings.metrics_listen:
        yield from _monitoring(settings.metrics_listen)
    if settings.dialplan_listen:
        yield from _dialplan(settings.dialplan_listen)


def _monitoring(place: Address) -> Iterator[Finding]:
    lives, ready = ask(place, "/healthz"), ask(place, "/readyz")
    if lives is None or ready is None:
        yield _nobody(METRICS, place, "--metrics-listen")
    elif '"last_turn' not in lives[1] or '"draining"' not in ready[1]:
        yield _somebody(METRICS, place, "--metrics-listen")
    elif lives[0] != HTTPStatus.OK:
        yield fault(
            METRICS,
            f"{place} says that a process of the controller is frozen",
            "restart fsctl serve; its log and the machine's may say why",
        )
    elif ready[0] != HTTPStatus.OK:
        what = "is stopping" if '"draining":true' in ready[1] else "has not reached its database"
        yield fault(
            METRICS,
            f"{place} says that the controller {what}: calls go to the fallback",
            "see its log: journalctl -u fsctl",
        )
    else:
        yield ok(METRICS, f"the controller on {place} lives and is ready")


def _dialplan(place: Address) -> Iterator[Finding]:
    answer = ask(place, "/dialplan", "section=directory")
    if answer is None:
        yield _nobody(DIALPLAN, place, "--dialplan-listen")
    elif answer[0] == HTTPStatus.FORBIDDEN:
        yield fault(
            DIALPLAN,
            f"{place} does not answer this machine",
            "when FreeSWITCH runs here, add this machine's address to the setting allow",
        )
    elif "freeswitch/xml" not in answer[1]:
        yield _somebody(DIALPLAN, place, "--dialplan-listen")
    else:
        yield ok(DIALPLAN, f"http://{place}/dialplan answers")


def _nobody(part: str, place: Address, flag: str) -> Finding:
    return fault(
        part,
        f"nobody answers on {place}",
        f"restart fsctl serve: it listens there from its start on, if {flag} is right",
    )


def _somebody(part: str, place: Address, flag: str) -> Finding:
    return fault(
        part,
        f"something that is no controller answers on {place}",
        f"find it (ss -ltnp 'sport = :{place.port}') and end it, or give another address with "
        f"{flag}",
    )


def ask(place: Address, page: str, body: str | None = None) -> Answer | None:
    """Return the status and the beginning of an answer, None for none; asks in a thread."""
    answer: Answer | None = gevent.get_hub().threadpool.apply(_ask, (place, page, body))
    return answer


def _ask(place: Address, page: str, body: str | None) -> Answer | None:
    connection = http.client.HTTPConnection(reached(place), place.port, timeout=PATIENCE)
    try:
        connection.request("GET" if body is None else "POST", page, body)
        answer = connection.getresponse()
        return answer.status, answer.read(LARGEST).decode(errors="replace")
    except (ConnectionResetError, BrokenPipeError):  # we are none of those it listens to
        return HTTPStatus.FORBIDDEN, ""
    except http.client.HTTPException:
        return 0, ""
    except OSError:
        return None
    finally:
        connection.close()
