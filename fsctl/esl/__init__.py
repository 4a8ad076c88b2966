"""FreeSWITCH's event socket: codec, session, commands, quoting, listener.

Owns the wire. Knows nothing of hunt groups, databases or settings.
"""
