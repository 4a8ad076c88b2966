"""How many files and sockets a process may have open."""

import resource


def raise_file_limit() -> int:
    """Allow as many open files as the system lets us, and return how many: a connection is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most
