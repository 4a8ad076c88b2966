"""Whom a switch knows, who of them has a telephone there, and who is on it: everybody at once.

``switch_facts.presence`` asks about one user; a panel that shows many asks here. Every function may
raise what ``SwitchConnection.api`` raises; what the answers say is a stranger's text.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from fsctl.esl import questions
from fsctl.esl.errors import ProtocolError
from fsctl.esl.inbound import SwitchConnection
from fsctl.esl.switch_facts import User

LONGEST_NAME = 64
"""Characters of a person's name that are kept."""
_COLUMNS = 8  # userid|context|domain|group|contact|callgroup|name|number: dump_user
_NONE = ("", "(null)")
_RINGING = ("RINGING", "EARLY", "DIALING", "DOWN", "RING_WAIT")
_OVER = "HANGUP"


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the directory: the name that telephones show for them, and whether one is there."""

    user: User
    caller_name: str
    registered: bool


def accounts(switch: SwitchConnection) -> list[Account]:
    """Return the users of the directory in its order, each once.

    A directory that is made for each question (mod_xml_curl) may list nobody.
    """
    found: dict[User, Account] = {}
    for line in switch.api(questions.USERS).split("\n")[1:]:
        # A contact is whatever a telephone wrote; what is wanted of it stands at its beginning.
        parts = line.split("|")
        if len(parts) < _COLUMNS or parts[0] in _NONE:
            continue
        user = User(parts[0], "" if parts[2] in _NONE else parts[2])
        name = "" if parts[-2] in _NONE or not parts[-2].isprintable() else parts[-2]
        registered = bool(parts[4]) and not parts[4].startswith("error/")
        found.setdefault(user, Account(user, name[:LONGEST_NAME], registered))
    return list(found.values())


def on_the_phone(switch: SwitchConnection) -> dict[User, bool]:
    """Return who has a call, by ``User``; True for who talks or calls, False for who is rung.

    A call to a user says whose it is; a call that a user makes does where the profile has
    ``manage-presence`` (the stock one has).
    """
    answer = switch.api(questions.CHANNELS)
    try:
        rows = orjson.loads(answer).get("rows", [])
        calls = list(_calls(rows))
    except (orjson.JSONDecodeError, AttributeError, TypeError) as error:
        raise ProtocolError("a list of channels that cannot be read") from error
    found: dict[User, bool] = {}
    for user, talks in calls:
        found[user] = found.get(user, False) or talks
    return found


def _calls(rows: list[dict[str, str]]) -> Iterator[tuple[User, bool]]:
    for row in rows:
        name, _, domain = str(row.get("presence_id") or "").partition("@")
        state = row.get("callstate")
        if name and state != _OVER:
            rung = row.get("direction") == "outbound" and state in _RINGING
            yield User(name, domain), not rung
