"""What is compared when calls are looked for, and what is hidden when they are shown. Pure."""

HIDDEN = "***"
"""What stands for a name that is hidden."""
SIGNIFICANT_DIGITS = 9
"""Two telephone numbers count as the same when so many of their last digits are: however a
provider writes a number (+48..., 0048..., 48... or national), these remain."""

_PUNCTUATION = frozenset("+-./() ")


def caller_key(number: str) -> str:
    """Return what all ways of writing a caller's number have in common.

    A number is known by its last digits; anything else, such as a user's name, by its folded text.
    """
    digits = "".join(char for char in number if char not in _PUNCTUATION)
    if digits.isascii() and digits.isdigit():
        return digits[-SIGNIFICANT_DIGITS:]
    return number.strip().casefold()


def user_key(user: str) -> str:
    """Return the folded name of a user, without the domain."""
    return user.casefold().partition("@")[0]


def mask_number(number: str, hidden: int) -> str:
    """Return the number with its last ``hidden`` letters and digits as ``*``."""
    shown: list[str] = []
    for char in reversed(number):
        hide = hidden > 0 and char.isalnum()
        hidden -= hide
        shown.append("*" if hide else char)
    return "".join(reversed(shown))


def mask_name(name: str, hidden: int) -> str:
    """Return the caller's name, or ``***`` in its place when numbers are masked."""
    return HIDDEN if hidden and name else name
