"""What a member's telephone shows of a call: made once for a call, the same on every leg."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from fsctl.esl.quoting import clean, header, label, token

_NUMBER = re.compile(r"\+?[0-9*#]{1,32}")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")
_WORD = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, as the stranger on the line chose it, not cleaned; ``hidden`` asks not to be shown
    (RFC 3323), whatever the network says of him."""

    number: str
    name: str
    hidden: bool = False

    @property
    def texts(self) -> Mapping[str, str]:
        """What may stand for this caller in a text: cleaned, and nothing of a hidden one."""
        if self.hidden:
            return {"name": "Anonymous", "number": "anonymous"}
        return {"name": clean(self.name), "number": clean(self.number)}


@dataclass(frozen=True, slots=True)
class Shown:
    """What every leg of a call carries for its telephone: variables, quoted."""

    variables: Mapping[str, str]

    @classmethod
    def of(
        cls,
        number: str,
        name: str,
        hidden: bool = False,
        alert_info: str = "",
        diversion: str = "",
        forwards: str = "",
    ) -> "Shown":
        """Return what is shown; a caller's own texts in ``number`` and ``name`` are clean.

        ``alert_info`` is a word, or a whole value of the header; ``forwards`` is how often the call
        may yet be forwarded. Raises Unquotable.
        """
        found = {
            "origination_caller_id_number": label(number),
            "origination_caller_id_name": label(name),
        }
        if hidden:
            found["origination_privacy"] = "hide_name:hide_number"
        if forwards:
            found["max_forwards"] = token(forwards)
        if alert_info:
            whole = f"<{alert_info}>" if _WORD.fullmatch(alert_info) else alert_info
            found["sip_h_Alert-Info"] = header(whole)
        if diversion:
            found["sip_h_Diversion"] = header(diversion)
        return cls(found)


def diversion_of(number: str, host: str) -> str:
    """Return a Diversion header (RFC 5806) that names the dialled number; "" when it cannot.

    Strangers choose both parts.
    """
    if not _NUMBER.fullmatch(number) or not _HOST.fullmatch(host):
        return ""
    return f"<sip:{number.replace('#', '%23')}@{host}>;reason=unconditional"
