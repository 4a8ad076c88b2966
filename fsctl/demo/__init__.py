"""A telephone switch made of Python that talks to a controller as FreeSWITCH 1.10.12 does.

Owns the imitation: channels, the outbound event socket, the api and dialplan applications that a
hunt-group controller uses, and scripted telephones. No SIP and no voice: phones are plain objects.
Where FreeSWITCH is awkward (20 ms polls, whole-second clocks, unescaped headers) it is awkward in
the same way, since a controller tested against something kinder would be tested against nothing.
It must know nothing of the controller.
"""

from fsctl.demo.phones import Script
from fsctl.demo.switch import PlacedCall, Switch

__all__ = ["PlacedCall", "Script", "Switch"]
