"""A call of the switch made of Python to a controller that was installed; exit status 0 if served.

    PYTHON packaging/served.py HOST:PORT NUMBER USER

PYTHON is the one that fsctl was installed for. USER's telephone answers at once, and the caller
hangs up after a moment.
"""

import sys

import gevent
from gevent.event import Event

from fsctl.demo import Script, Switch

LATEST = 20.0


def main(address: str, number: str, user: str) -> int:
    """Place the call."""
    switch = Switch(address)
    switch.register(user, Script(answer_after=0.2))
    answered, over = Event(), Event()

    def saw(who: str, what: str, _detail: object) -> None:
        print(f"{who}: {what}", flush=True)
        if (who, what) == ("caller", "answered"):
            answered.set()
        if what in ("released", "gave up", "fallback") or (who, what) == (user, "bye"):
            over.set()

    switch.observers.append(saw)
    call = switch.dial(number)
    if answered.wait(LATEST):
        gevent.sleep(0.5)
        call.hang_up()
    over.wait(LATEST)
    gevent.sleep(0.5)  # whoever hears of the end last has heard of it
    return 0 if answered.is_set() else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
