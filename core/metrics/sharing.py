"""Intermediate results that several metrics of one picture have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, TypeVar

import numpy as np

Result = TypeVar("Result")

_results: ContextVar[dict[tuple[Any, ...], Any] | None] = ContextVar("results", default=None)


@contextmanager
def sharing() -> Iterator[None]:
    """While this is active, functions marked :func:`shared` compute each result once.

    Images are told apart by identity, so the caller keeps them alive and unchanged meanwhile. Each
    thread has its own results.
    """
    token = _results.set({})
    try:
        yield
    finally:
        _results.reset(token)


def shared(function: Callable[..., Result]) -> Callable[..., Result]:
    """Mark a pure function of images whose small result several metrics use.

    Not for results of the size of an image: they would all be in memory at once.
    """

    @wraps(function)
    def computed_once(*arguments: Any) -> Result:
        results = _results.get()
        if results is None:
            return function(*arguments)
        key = (function, *(id(x) if isinstance(x, np.ndarray) else x for x in arguments))
        if key not in results:
            results[key] = function(*arguments)
        found: Result = results[key]
        return found

    return computed_once
