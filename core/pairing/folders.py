"""Pairs the files of folders by name, never by position."""

from __future__ import annotations

from pathlib import Path

from core.errors import InputError
from core.messages import Message
from core.pairing.finder import FolderRule, pair_paths
from core.pairing.plan import Leftover, Match, PairingPlan

__all__ = [
    "FolderRule",
    "Leftover",
    "Match",
    "PairingPlan",
    "pair_folders",
    "pair_paths",
]


def pair_folders(
    folder: str | Path, task: str | None = None, skip: tuple[Path, ...] = ()
) -> PairingPlan:
    """The pairs in ``folder``, of which there must be at least one: for scoring a data set.

    ``task`` and ``skip`` as in :func:`pair_paths`.

    Raises:
        InputError: there is no such folder, or no pair in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(
            str(folder), Message("there is no such folder"), Message("Check the name.")
        )
    plan = pair_paths([folder], task, skip=skip)
    if not plan.matches:
        raise InputError(
            str(folder),
            Message("no two pictures in there belong together by name"),
            Message(
                "Use folders a/ and b/, or names that differ in one word, such as x_ir and x_vis."
            ),
        )
    return plan
