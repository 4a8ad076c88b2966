"""What the store can say went wrong. Imports nothing, so that a face can catch it cheaply."""


class StoreError(Exception):
    """The database cannot do what was asked; the message is one line for whoever runs fsctl."""


class BadURL(StoreError):
    """The database URL cannot be used here."""


class Unavailable(StoreError):
    """The database could not be reached, or refused a statement."""


class Busy(Unavailable):
    """Somebody else held what was needed for too long; later it may well go."""


class NoRoom(Unavailable):
    """The file system that holds the database is full."""


class SchemaError(StoreError):
    """The database's tables are not those that this fsctl works with."""


class NewerSchema(SchemaError):
    """A newer fsctl has changed the tables."""
