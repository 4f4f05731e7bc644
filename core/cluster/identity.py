"""What a program is: two computers of which this differs must not share the rows of one batch."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import core
from core.baselines import BASELINES
from core.errors import FusionError

TaskMethod = tuple[str, str]
"""A task, and the name of a method for it; "" is its default pack."""


@dataclass(frozen=True)
class ProgramIdentity:
    """Version, code and packs of a program.

    Attributes:
        version: of the program. code: digest of its engine; "" where it has no source files.
        packs: digest of the pack of each asked method; "" for classical methods and for packs that
            are not there.
    """

    version: str
    code: str
    packs: tuple[str, ...] = ()

    @classmethod
    def own(cls, methods: Sequence[TaskMethod] = ()) -> ProgramIdentity:
        """Of this program, with the packs of ``methods``."""
        return cls(core.__version__, _code(), tuple(pack_digest(*method) for method in methods))


@cache
def _code() -> str:
    root = Path(core.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py"), key=lambda path: path.relative_to(root).as_posix()):
        # Line ends differ between systems.
        text = path.read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"{path.relative_to(root).as_posix()}\0{len(text)}\0".encode() + text)
    return digest.hexdigest()[:16]


def pack_digest(task: str, method: str) -> str:
    """Digest of what influences the images of a pack; "" for a classical method or no such pack."""
    if method in BASELINES:
        return ""
    from core.packs.registry import Catalogue

    try:
        manifest = Catalogue().find(method, task).manifest
    except FusionError:
        return ""
    return manifest.sealed_sha256 or manifest.weights_sha256


def named_method(task: str, method: str) -> str:
    """``method``, or the name of the default pack of ``task`` here, which may be another elsewhere.

    Raises:
        InputError: there is no such pack. PackError: it cannot be used.
    """
    if method in BASELINES or method:
        return method
    from core.packs.registry import Catalogue

    return Catalogue().find(method, task).manifest.name
