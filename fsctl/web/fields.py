"""What of a group and of a member can be set in a form: the inputs, made from one table.

Owns the labels and the kinds of input. What a value may be is ``fsctl.admin.configuration``'s to
say, which reads the same texts from files.
"""

from dataclasses import dataclass

from fsctl.admin.configuration import RawGroup, RawMember, Text, WrongFile, read_groups
from fsctl.admin.documents import document_of
from fsctl.hunt.group import Group, Member


def N_(message: str) -> str:
    """Mark a text to be translated when it is shown."""
    return message


@dataclass(frozen=True, slots=True)
class Field:
    """One input: ``name`` as documents have it, ``kind`` is seconds, count, text, switch, choice.

    ``optional``: an empty input means that there is no such value.
    """

    name: str
    kind: str
    label: str
    help: str = ""
    optional: bool = False
    choices: tuple[tuple[str, str], ...] = ()


GROUP_FIELDS = (
    Field(
        "wait",
        "seconds",
        N_("Wait time of the group"),
        N_("After so many seconds a call that nobody has answered is released."),
    ),
    Field(
        "advance",
        "switch",
        N_("Go on at once"),
        N_("When everyone who rings has failed, the next ring at once, not when it is their turn."),
    ),
)
MEMBER_FIELDS = (
    Field("delay", "seconds", N_("Wait time")),
    Field("enabled", "switch", N_("Rings")),
)

_DEFAULT_GROUP = document_of(Group("x", members=(Member("x"),)))
DEFAULT_MEMBER: dict[str, object] = _DEFAULT_GROUP["members"][0]


def text_of(value: object, comma: bool = False) -> str:
    """Return a value of a document as an input shows it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    return text.replace(".", ",") if comma and isinstance(value, float) else text


def wrong_group_field(name: str, text: str) -> str | None:
    """Return what is wrong with one setting of a group."""
    return _wrong(RawGroup(1, {"name": Text("x", 1), name: Text(text, 1)}))


def wrong_member_field(name: str, text: str) -> str | None:
    """Return what is wrong with one setting of a member."""
    fields = {"user": Text("x", 1)} | {name: Text(text, 1)}
    return _wrong(RawGroup(1, {"name": Text("x", 1)}, members=[RawMember(1, fields)]))


def _wrong(group: RawGroup) -> str | None:
    try:
        read_groups([group], "ZZ")
    except WrongFile as error:
        return str(error).partition(": ")[2]
    return None
