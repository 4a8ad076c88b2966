"""Caches of functions of a text. A stranger may choose the text, so its length is bounded too."""

from collections.abc import Callable
from functools import lru_cache, update_wrapper
from typing import Generic, TypeVar

T = TypeVar("T")


class TextCache(Generic[T]):
    """A function of a text, with its latest ``most`` results.

    A text of more than ``longest`` characters is computed each time, and leaves nothing behind.
    ``lru_cache`` alone counts entries, not bytes: twenty texts of 30 MiB would stay for good.
    """

    def __init__(self, function: Callable[[str], T], most: int, longest: int) -> None:
        self._function = function
        self._cached = lru_cache(most)(function)
        self._longest = longest
        update_wrapper(self, function)

    def __call__(self, text: str) -> T:
        """Return what the function returns."""
        return self._cached(text) if len(text) <= self._longest else self._function(text)

    def __len__(self) -> int:
        """Count the results that are cached."""
        return self._cached.cache_info().currsize

    def clear(self) -> None:
        """Forget every result."""
        self._cached.cache_clear()


def cache_of_texts(most: int, longest: int) -> Callable[[Callable[[str], T]], TextCache[T]]:
    """Return a decorator that makes a ``TextCache`` of a function."""
    return lambda function: TextCache(function, most, longest)
