"""Expansion of ``${variable}`` and ``${api(arguments)}`` in application arguments.

Owns what ``switch_channel_expand_variables`` (switch_channel.c) does with a string. It gets the
variables and the api as functions and knows neither channels nor commands.
"""

from collections.abc import Callable

from fsctl.demo.quoting import mentions_variable

_DEEPEST = 100


def expand(
    text: str,
    variable: Callable[[str], str | None],
    api: Callable[[str, str], str],
    depth: int = 0,
) -> str:
    """Return ``text`` with its variables and api calls replaced by what they yield.

    An unknown variable yields nothing. ``\\$`` is a plain dollar, as is one before anything but
    a brace. Values are expanded again, at most a hundred deep.
    """
    if depth > _DEEPEST or not (mentions_variable(text) or "\\" in text):
        return text
    out: list[str] = []
    at = 0
    while at < len(text):
        char, following = text[at], text[at + 1 : at + 2]
        if char == "\\" and following == "$":
            out.append("$")
            at += 2
        elif char == "\\" and following == "'":
            at += 1
        elif char == "\\" and following == "\\":
            out.append("\\\\")
            at += 2
        elif char == "$" and following == "{":
            inner, at = _braced(text, at + 2)
            out.append(_value(inner, variable, api, depth + 1))
        else:
            out.append(char)
            at += 1
    return "".join(out)


def _braced(text: str, start: int) -> tuple[str, int]:
    depth = 1
    for at in range(start, len(text)):
        if text[at] == "{" and at > start:
            depth += 1
        elif text[at] == "}":
            depth -= 1
            if depth == 0:
                return text[start:at], at + 1
    return text[start:], len(text)


def _value(
    inner: str,
    variable: Callable[[str], str | None],
    api: Callable[[str, str], str],
    depth: int,
) -> str:
    cuts = [at for at in (inner.find("("), inner.find(" ")) if at >= 0]
    if not cuts:
        found = variable(expand(inner, variable, api, depth))
        return expand(found, variable, api, depth) if found is not None else ""
    at = min(cuts)
    name, arguments = inner[:at], inner[at + 1 :]
    if inner[at] == "(":
        arguments = arguments[: _end_of_call(arguments)]
    return api(
        expand(name, variable, api, depth).rstrip(" "), expand(arguments, variable, api, depth)
    )


def _end_of_call(arguments: str) -> int:
    depth = 1
    for at, char in enumerate(arguments):
        if char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
            if depth == 0:
                return at
    return len(arguments)
