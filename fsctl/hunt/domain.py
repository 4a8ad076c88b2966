"""A domain: FreeSWITCH's word for a tenant, and what its name may be.

An installation with one domain never names it: there the domain is ``""``.
"""

import re

LONGEST_DOMAIN = 253  # RFC 1035, section 2.3.4, as text

_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


def read_domain(text: str) -> str:
    """Return the domain as groups keep it, in lower case; ``""`` is the only one there is.

    Raises ValueError, whose message says what to write.
    """
    domain = text.lower()
    if domain and (len(domain) > LONGEST_DOMAIN or not _DOMAIN.fullmatch(domain)):
        raise ValueError("write a domain's name, for example pbx.example.org")
    return domain


def domain_of_call(text: str | None) -> str:
    """Return the domain that a channel names; ``""`` for one that no group can have."""
    try:
        return read_domain(text or "")
    except ValueError:
        return ""
