"""Why a change was not made. Imports nothing, so that a face can catch it cheaply."""


class AdminError(Exception):
    """Nothing was changed; the message is one line for the administrator."""


class WrongValue(AdminError):
    """A value that can never be right, whatever the database holds."""


class Refused(AdminError):
    """A change that conflicts with what is there."""


class Taken(Refused):
    """A number is a group's already. ``to_others`` says so to somebody who may not know whose."""

    def __init__(self, text: str, number: str, domain: str) -> None:
        super().__init__(text)
        self.domain = domain
        self.to_others = f"{number} belongs to another domain"
