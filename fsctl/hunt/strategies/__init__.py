"""Ring strategies: one small file each, from a group's members to a schedule."""

from fsctl.hunt.strategies.delayed import delayed

__all__ = ["delayed"]
