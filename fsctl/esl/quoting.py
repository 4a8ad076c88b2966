"""The one place where values become part of a command. Allow-list first, then escape.

``originate`` takes a command apart several times: at spaces (single quotes and backslashes count),
the ``{}`` block at commas, each variable at ``=``; and values may be expanded as ``${}`` on the way
(field notes, "Quoting"; ``switch_utils.c``, ``switch_ivr_originate.c``). Nothing that any of these
readers treats as special is let through, and the two that people's names do need, space and comma,
are escaped the way all of them understand.
"""

import re
import unicodedata
from hashlib import blake2s

from anyascii import anyascii

from fsctl.caches import cache_of_texts
from fsctl.esl.errors import Unquotable

MAX_VALUE = 80
"""Characters kept of a value that a stranger chose."""

_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+@-]{0,254}")
_NUMBER = re.compile(r"\+?[A-Za-z0-9*#][A-Za-z0-9*#._-]{0,63}")
_VALUES = re.compile(r"(?:[^\s{}'\"$|^,\\]++|\\[,s])*+")
"""What ends no value: neither a space, a bracket, a quote nor a comma that is not escaped."""
_APOSTROPHE = "\N{RIGHT SINGLE QUOTATION MARK}"
# Not "/", ":" and "@": of a name that holds them FreeSWITCH shows a part only (tried).
_PLAIN = frozenset(" +-_.#*&!?," + _APOSTROPHE)
_USUAL_TEXT = re.compile(r"(?:[A-Za-z0-9+_.#*&!?,-]+(?: [A-Za-z0-9+_.#*&!?,-]+)*)?")
"""Nearly all numbers and many names: nothing in them needs cleaning."""
_BRACKETS = frozenset("[]()")
"""What an administrator may write besides: a telephone shows it as it is (tried), and within a
``{}`` block it means nothing."""
_SOUND = re.compile(r"[A-Za-z0-9/][A-Za-z0-9/._:%(),;=+*~?&@!-]*")
_TONES = re.compile(r"(?:(?:%\([0-9.,]{1,60}\)|[A-Za-z]=[0-9.-]{1,8});?){1,20}")
"""TGML as in ``ringback``: tones with their lengths and frequencies, and what holds for all."""
_SILENCE = re.compile(r"silence(?::[0-9]{1,6})?", re.IGNORECASE)
_RINGING = re.compile(
    r"(?:(?:tone_stream|local_stream|silence_stream)://|/)[A-Za-z0-9/._:%(),;=+~@-]{1,200}"
)
"""What else may ring: sounds of the switch itself. Other streams run programs, or fetch."""
_HEADER = re.compile(r"[A-Za-z0-9<][A-Za-z0-9<>:/._~%;=+*@-]*")
_CARRIED = re.compile(r"[\w.,+:;/@%=#*!?&~<>()\[\] -]{1,200}")
_VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_PATH = re.compile(r"/[A-Za-z0-9/._+@-]*")
_DIAL_STRING = re.compile(r"sofia/[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9+*#][A-Za-z0-9._+*#/:;=@-]*")
_QUESTION = re.compile(
    r"(?:(?:hash|db) select/|user_data |user_exists id |global_getvar )[A-Za-z0-9 ._+@/:-]{1,400}"
)
_NOT_IN_PATH = re.compile(r"[^A-Za-z0-9+@-]+")
_MARKED = re.compile(r"-[0-9a-f]{8}\Z")
_PLAIN_NAME = re.compile(rf"(?=.{{1,{MAX_VALUE}}}\Z)[A-Za-z0-9+@_-]+(?:\.[A-Za-z0-9+@_-]+)*")
_ESCAPES = str.maketrans({" ": "\\s", ",": "\\,"})


def token(text: str) -> str:
    """Return ``text`` if it is one word that no reader takes apart: a uuid, user, cause or number.

    Raises Unquotable otherwise: such a word comes from us or was checked when it was configured.
    """
    return _checked(_TOKEN, text)


def is_token(text: str) -> bool:
    """Whether ``token`` would return this text."""
    return _TOKEN.fullmatch(text) is not None


def number(text: str) -> str:
    """Return ``text`` if it can be dialled: no reader of a dial string takes it apart.

    Raises Unquotable otherwise.
    """
    if not _NUMBER.fullmatch(text):
        raise Unquotable(f"{text[:60]!r} cannot be dialled")
    return text


def dial_string(text: str) -> str:
    """Return ``text`` if it is one endpoint of ``sofia``, and nothing else to ``originate``.

    Raises Unquotable otherwise. Other kinds of endpoints run dialplans, or whole programs.
    """
    if ":_:" in text:  # it separates endpoints (``switch_ivr_enterprise_originate``)
        raise Unquotable(f"{text[:60]!r} is more than one endpoint")
    return _checked(_DIAL_STRING, text)


def question(text: str) -> str:
    """Return an api command that only asks, as an administrator has written it.

    Raises Unquotable otherwise: many others do something.
    """
    return _checked(_QUESTION, text)


def clean(text: str, limit: int = MAX_VALUE) -> str:
    """Return what may be kept of a text that a stranger chose, at most ``limit`` characters.

    Letters and digits of any script, marks, spaces and a few signs stay. An apostrophe becomes the
    typographic one, every run of anything else one space.
    """
    if len(text) <= limit and _USUAL_TEXT.fullmatch(text):
        return text
    return _clean(_composed(text, limit), limit, _PLAIN)


def _composed(text: str, limit: int) -> str:
    return unicodedata.normalize("NFC", text[: 8 * limit]).replace("'", _APOSTROPHE)


def _clean(text: str, limit: int, signs: frozenset[str]) -> str:
    kept = "".join(
        char if char in signs or unicodedata.category(char)[0] in "LMN" else " " for char in text
    )
    return " ".join(kept.split())[:limit].strip()


def label(text: str, limit: int = MAX_VALUE) -> str:
    """Return what an administrator wrote, strangers' texts within it cleaned before, as a value."""
    if not (len(text) <= limit and _USUAL_TEXT.fullmatch(text)):
        text = _clean(_composed(text, limit), limit, _PLAIN | _BRACKETS)
    return text.translate(_ESCAPES)


def header(text: str) -> str:
    """Return the value of a SIP header as the value of a variable. Raises Unquotable."""
    return _checked(_HEADER, text)


def carried_value(text: str) -> str:
    """Return a text that goes with a call as it is, whoever wrote it. Raises Unquotable."""
    bare = text.strip(" ")
    if ":_:" in bare:  # it separates endpoints (``switch_ivr_enterprise_originate``)
        raise Unquotable(f"{text[:60]!r} cannot be part of a command")
    return _checked(_CARRIED, bare).translate(_ESCAPES)


def variable_name(text: str) -> str:
    """Return the name of a variable that somebody else has chosen. Raises Unquotable."""
    return _checked(_VARIABLE, text)


def sound(text: str) -> str:
    """Return the name of a sound, to stand alone at the end of a line. Raises Unquotable."""
    return _checked(_SOUND, text)


def ringing(text: str) -> str:
    """Return the sound that a dialplan's ``ringback`` means (``switch_ivr_originate.c``).

    It may be tones, ``silence``, a stream of the switch's own or a file's path. Raises Unquotable.
    """
    bare = text.replace(" ", "")
    if _TONES.fullmatch(bare):
        return sound(f"tone_stream://{bare};loops=-1")
    if _SILENCE.fullmatch(text):
        return "silence_stream://-1"
    if ".." in text or not _RINGING.fullmatch(text):
        raise Unquotable(f"{text[:60]!r} is not a sound that may be played")
    return sound(text)


def value_of_sound(text: str) -> str:
    """Return a sound as a value, or as an argument of an inline application. Raises Unquotable."""
    return sound(text).translate(_ESCAPES)


def path(text: str) -> str:
    """Return a file's path as an argument of an inline application. Raises Unquotable."""
    if ".." in text:
        raise Unquotable(f"{text[:60]!r} leads elsewhere")
    return _checked(_PATH, text)


def part_of_path(text: str) -> str:
    """Return a text, whoever wrote it, as a part of a file's name, in Latin letters."""
    return _NOT_IN_PATH.sub("_", anyascii(text[:MAX_VALUE]))[:MAX_VALUE]


def folder_name(text: str, domain: str = "") -> str:
    """Return a text as a part of a file's name that no other text has.

    A space becomes ``_``; where more is changed, or there is a domain, eight digits tell the text
    from others that look alike then.
    """
    plain = text.replace(" ", "_")
    if not domain and "_" not in text and _PLAIN_NAME.fullmatch(plain) and not _MARKED.search(text):
        return plain
    mark = blake2s(f"{domain}\0{text}".encode(errors="surrogatepass"), digest_size=4).hexdigest()
    return f"{part_of_path(text).strip('_-') or 'x'}-{mark}"


def _checked(allowed: re.Pattern[str], text: str) -> str:
    if not allowed.fullmatch(text):
        raise Unquotable(f"{text[:60]!r} cannot be part of a command")
    return text


@cache_of_texts(100, MAX_VALUE)
def _check_name(name: str) -> None:
    """Refuse what is no name of a variable; all that we use are a dozen."""
    token(name)


def variables(pairs: dict[str, str], *lists: str) -> str:
    """Return a ``{}`` block of channel variables, those of ``lists`` first (``listed``).

    Values must have come through this module. Raises Unquotable as ``listed``.
    """
    return "{" + ",".join((*lists, listed(pairs))) + "}"


def listed(pairs: dict[str, str]) -> str:
    """Return channel variables as a part of such a block.

    Raises Unquotable for a name or value that could end the block or add a variable to it.
    """
    for name in pairs:
        _check_name(name)
    # All at once: an end of one cannot be the beginning of another across a NUL.
    if not _VALUES.fullmatch("\0".join(pairs.values())):
        name, text = next(pair for pair in pairs.items() if not _VALUES.fullmatch(pair[1]))
        raise Unquotable(f"{text[:60]!r} cannot be the value of {name}")
    return ",".join([f"{name}={text}" for name, text in pairs.items()])
