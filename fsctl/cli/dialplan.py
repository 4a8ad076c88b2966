"""The dialplan lines that an operator pastes into FreeSWITCH."""

import re
from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

_EVERYWHERE = {"0.0.0.0", "[::]"}


def place(address: str) -> str:
    """Return HOST:PORT as FreeSWITCH reads it, where ``address`` is what we listen on.

    FreeSWITCH takes what is behind the last colon for the port and knows no brackets
    (``socket_function`` in ``mod_event_socket.c``).
    """
    host, _, port = address.rpartition(":")
    host = "ADDRESS-OF-THIS-HOST" if host in _EVERYWHERE else host.strip("[]")
    return f"{host}:{port}"


def lines(numbers: Iterable[str], address: str) -> str:
    """Return an extension that hands calls to ``numbers`` to the controller at HOST:PORT.

    City numbers match with ``+``, with ``00``, and bare, since trunks deliver them in all ways.
    """
    patterns = [_pattern(number) for number in numbers] or ["600"]
    expression = quoteattr(f"^(?:{'|'.join(patterns)})$")
    return f"""\
<extension name="fsctl">
  <condition field="destination_number" expression={expression}>
    <!-- the call goes on here even if a controller dies at the wrong moment -->
    <action application="set" data="socket_resume=true"/>
    <action application="socket" data="{escape(place(address))} async full"/>
    <!-- reached only when no controller takes the call: your fallback -->
    <action application="respond" data="503"/>
  </condition>
</extension>"""


def _pattern(number: str) -> str:
    if number.startswith("+"):
        return r"(?:\+|00)?" + re.escape(number[1:])
    return re.escape(number)
