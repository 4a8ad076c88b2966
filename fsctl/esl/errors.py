"""What can go wrong on an event socket. Theirs and ours are told apart by type."""


class EventSocketError(Exception):
    """The conversation with the switch cannot go on."""


class ProtocolError(EventSocketError):
    """The other side sent what no FreeSWITCH would send, or more than we take."""


class SessionClosed(EventSocketError):
    """The other side closed the connection."""


class NoReply(EventSocketError):
    """The switch owes us the reply to a command, or does not take our bytes, for too long."""


class Unquotable(ValueError):
    """A value of ours (a bug of ours, never a caller's fault) does not fit a command."""
