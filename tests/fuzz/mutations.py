"""What happens to files: bits flip, ends go missing, lengths and sizes lie, pieces get mixed up."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

import numpy as np

from tests.fuzz.seeds import Seed

_WAYS = ("flip", "cut", "cut-ended", "splice", "length", "claim", "zeros")
_EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 19999, 0x7FFFFFFF, 0xFFFFFFFF)


def mutate(rng: np.random.Generator, seed: Seed, others: Sequence[Seed]) -> tuple[bytes, str]:
    """A changed file, and how it was changed."""
    way = _WAYS[int(rng.integers(len(_WAYS)))]
    return _MAKERS[way](rng, seed, others), way


def _flip(rng: np.random.Generator, seed: Seed, others: Sequence[Seed]) -> bytes:
    content = bytearray(seed.content)
    # Every other time in the header, where the interesting failures are.
    reach = len(content) if rng.integers(2) else min(len(content), 200)
    for at in rng.integers(0, reach, int(rng.integers(1, 6))):
        content[at] ^= 1 << int(rng.integers(8))
    return bytes(content)


def _cut(rng: np.random.Generator, seed: Seed, others: Sequence[Seed]) -> bytes:
    return seed.content[: int(rng.integers(1, len(seed.content)))]


def _cut_ended(rng: np.random.Generator, seed: Seed, others: Sequence[Seed]) -> bytes:
    return _cut(rng, seed, others) + seed.end


def _splice(rng: np.random.Generator, seed: Seed, others: Sequence[Seed]) -> bytes:
    other = others[int(rng.integers(len(others)))].content
    start, end = sorted(int(at) for at in rng.integers(0, len(other), 2))
    at = int(rng.integers(len(seed.content)))
    return seed.content[:at] + other[start:end] + seed.content[at:]


def _length(rng: np.random.Generator, seed: Seed, others: Sequence[Seed]) -> bytes:
    content = bytearray(seed.content)
    for _ in range(int(rng.integers(1, 4))):
        at = int(rng.integers(0, min(len(content), 600)))
        value = _EXTREMES[int(rng.integers(len(_EXTREMES)))]
        form = (">H", "<H", ">I", "<I")[int(rng.integers(4))]
        if form[1] == "H":
            value &= 0xFFFF
        content[at : at + struct.calcsize(form)] = struct.pack(form, value)
    return bytes(content)


def _claim(rng: np.random.Generator, seed: Seed, others: Sequence[Seed]) -> bytes:
    """The picture's own width or height, wherever it stands in the header, becomes another."""
    content = bytearray(seed.content)
    value = int(rng.integers(1, 30000))
    for form in (">I", "<I", ">H", "<H"):
        for side in (61, 77):
            known = struct.pack(form, side)
            at = content.find(known, 0, 600)
            if at >= 0 and rng.integers(2):
                content[at : at + len(known)] = struct.pack(form, value)
    return bytes(content)


def _zeros(rng: np.random.Generator, seed: Seed, others: Sequence[Seed]) -> bytes:
    """A hole, as disks and interrupted downloads leave them."""
    content = bytearray(seed.content)
    start, end = sorted(int(at) for at in rng.integers(0, len(content), 2))
    content[start:end] = bytes(end - start)
    return bytes(content)


_MAKERS: dict[str, Callable[[np.random.Generator, Seed, Sequence[Seed]], bytes]] = {
    "flip": _flip,
    "cut": _cut,
    "cut-ended": _cut_ended,
    "splice": _splice,
    "length": _length,
    "claim": _claim,
    "zeros": _zeros,
}
