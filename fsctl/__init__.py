"""fsctl: the hunt-group controller for FreeSWITCH."""

__version__ = "0.1.0"
