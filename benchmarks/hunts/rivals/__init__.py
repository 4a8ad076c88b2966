"""The same hunt on other libraries, as their own examples would have it.

Each listens on ``127.0.0.1`` at the port of its first argument, calls three members of whom the
switch lets one claim the caller, follows the call to its end and writes a record into the SQLite
file of its second argument. None of them looks a group up, bounds a wait or minds a fault.
"""
