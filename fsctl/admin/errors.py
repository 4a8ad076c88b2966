"""Why a change was not made. Imports nothing, so that a face can catch it cheaply."""


class AdminError(Exception):
    """Nothing was changed; the message is one line for the administrator."""


class WrongValue(AdminError):
    """A value that can never be right, whatever the database holds."""


class Refused(AdminError):
    """A change that conflicts with what is there."""
