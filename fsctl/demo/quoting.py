"""FreeSWITCH's ways of cutting strings: arguments, dial-string variables, inline dialplans.

Owns the exact behaviour, oddities included, of ``switch_separate_string`` (switch_utils.c),
``switch_event_create_brackets`` (switch_event.c) and the inline dialplan (mod_dptools.c): a
controller's quoting is only as safe as this is exact. Knows nothing of channels.
"""

from urllib.parse import quote

_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "s": " "}


def separate(text: str, delimiter: str = " ", limit: int = 1024) -> list[str]:
    """Split like ``switch_separate_string``: quotes group, a backslash escapes, spaces trim.

    ``^^`` and a character at the start choose another delimiter. The last of ``limit`` pieces
    holds whatever is left, uncut.
    """
    if text.startswith("^^") and len(text) > 3:
        delimiter, text = text[2], text[3:]
    raw = _cut_at_blanks(text, limit) if delimiter == " " else _cut_at(text, delimiter, limit)
    return [_clean(piece, "" if delimiter == " " else delimiter) for piece in raw]


def _has_marks(text: str) -> bool:
    return "\\" in text or "'" in text


def _cut_at(text: str, delimiter: str, limit: int) -> list[str]:
    if not _has_marks(text) and text.count(delimiter) < limit:
        pieces = text.split(delimiter)
        return pieces if pieces[-1] else pieces[:-1]
    pieces = []
    start, at, quoted, last_quote = 0, 0, False, text.rfind("'")
    while at < len(text):
        if len(pieces) == limit - 1:
            at = len(text)
            break
        char = text[at]
        if char == "\\":
            at += 1
        elif char == "'" and (quoted or at < last_quote):
            quoted = not quoted
        elif char == delimiter and not quoted:
            pieces.append(text[start:at])
            start = at + 1
        at += 1
    if start < len(text):
        pieces.append(text[start:])
    return pieces


def _cut_at_blanks(text: str, limit: int) -> list[str]:
    """Cut at runs of spaces; here a lone quote does open a group that never closes."""
    pieces: list[str] = []
    at = 0
    while at < len(text):
        start = at
        if len(pieces) == limit - 1:
            pieces.append(text[start:])
            break
        while at < len(text) and text[at] == " ":
            at += 1
        quoted = False
        while at < len(text):
            char = text[at]
            if char == "\\":
                at += 1
            elif char == "'":
                quoted = not quoted
            elif char == " " and not quoted:
                break
            at += 1
        pieces.append(text[start:at])
        while at < len(text) and text[at] == " ":
            at += 1
    return pieces


def _clean(piece: str, delimiter: str) -> str:
    """Strip quotes, escapes and outer spaces of one piece (``cleanup_separated_string``)."""
    if not _has_marks(piece):
        return piece.strip(" ")
    piece = piece.lstrip(" ")
    out: list[str] = []
    end: int | None = None
    quoted, at, last_quote = False, 0, piece.rfind("'")
    while at < len(piece):
        char = piece[at]
        following = piece[at + 1 : at + 2]
        if char == "\\" and following and following in "'\"\\nrts" + delimiter:
            plain = following in "'\"\\" or following == delimiter
            out.append(following if plain else _ESCAPED[following])
            end = len(out)
            at += 2
            continue
        if char == "'" and (quoted or at < last_quote):
            quoted = not quoted
            if quoted:
                end = len(out)
        else:
            out.append(char)
            if char != " " or quoted:
                end = len(out)
        at += 1
    return "".join(out if end is None else out[:end])


def closing(text: str, start: int, opening: str, close: str) -> int:
    """Return where the bracket that opens at ``start`` closes, or -1."""
    depth = 0
    for at in range(start, len(text)):
        if text[at] == opening:
            depth += 1
        elif text[at] == close:
            depth -= 1
            if depth == 0:
                return at
    return -1


def bracketed(text: str, opening: str, close: str) -> tuple[list[tuple[str, str]], str]:
    """Read the ``{a=b,c=d}`` (or ``[...]``) groups that ``text`` starts with, and return the rest.

    ``^^`` and a character at the start of a group choose another separator than a comma. A pair
    without a value is dropped. ValueError when a bracket never closes.
    """
    pairs: list[tuple[str, str]] = []
    text = text.lstrip(" ")
    while text.startswith(opening):
        end = closing(text, 0, opening, close)
        if end < 0:
            raise ValueError(f"unbalanced {opening}")
        group, text = text[1:end], text[end + 1 :].lstrip(" ")
        separator = ","
        if group.startswith("^^") and len(group) > 2:
            separator, group = group[2], group[3:]
        for pair in separate(group, separator):
            halves = separate(pair, "=", 2)
            if len(halves) == 2:
                pairs.append((halves[0], halves[1]))
    return pairs, text


def inline_actions(text: str) -> list[tuple[str, str | None]]:
    """Cut an inline dialplan (``app:arg,app:arg``) into (application, argument) pairs.

    ``m:X:`` at the start makes X the separator.
    """
    separator = ","
    if text.startswith("m:") and text[3:4] == ":":
        separator, text = text[2], text[4:]
    actions: list[tuple[str, str | None]] = []
    for piece in separate(text, separator, 128):
        name, colon, argument = piece.partition(":")
        actions.append((name.lstrip(" "), argument if colon else None))
    return actions


def mentions_variable(value: str) -> bool:
    """Tell whether ``${`` (backslashes between the two allowed) stands in a value.

    Such values are dropped on legs: ``switch_string_var_check_const`` in switch_utils.h.
    """
    dollar = False
    for char in value:
        if char == "$":
            dollar = True
        elif dollar:
            if char == "{":
                return True
            dollar = char == "\\"
    return False


# What ``switch_url_encode`` leaves alone; urllib always leaves letters, digits and "_.-~".
_SAFE = "!$'()*,/%"


def url_encode(value: str) -> str:
    """Encode one header value for a plain event (``switch_url_encode_opt`` in switch_utils.c).

    An upper-case escape that the value already holds (``%0A``) is left as it is: a reader cannot
    tell it from an encoded newline.
    """
    if "%" not in value:
        return quote(value, safe=_SAFE, errors="surrogateescape")
    head, *rest = value.split("%")
    parts = [quote(head, safe=_SAFE, errors="surrogateescape")]
    for piece in rest:
        kept = len(piece) >= 2 and all(char in "0123456789ABCDEF" for char in piece[:2])
        parts.append("%" if kept else "%25")
        parts.append(quote(piece, safe=_SAFE, errors="surrogateescape"))
    return "".join(parts)
