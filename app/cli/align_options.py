"""What was asked of how two sources are laid on each other."""

from __future__ import annotations

from pathlib import Path

from core.alignment.choice import AlignChoice
from core.errors import InputError


def align_choice(
    register: bool,
    kind: str,
    transform: Path | None,
    rig: str,
    *,
    onto: str,
    crop: bool,
    keep_failed: bool,
) -> AlignChoice:
    """The choice that options say.

    Raises:
        InputError: several ways are asked for, or something of a way that is not asked for.
    """
    asked = {
        "--register": f"register {kind}".rstrip() if register else "",
        "--transform": f"file {transform}" if transform is not None else "",
        "--rig": f"rig {rig}" if rig else "",
    }
    ways = [option for option, text in asked.items() if text]
    if len(ways) > 1:
        raise InputError(
            " and ".join(ways), "each says how the sources lie on each other", "Give one of them."
        )
    extra = [
        option
        for option, is_given in (
            ("--kind", bool(kind) and not register),
            ("--keep-failed", keep_failed and not register),
            ("--crop", crop and not ways),
            ("--onto", onto != "a" and not ways),
        )
        if is_given
    ]
    if extra:
        needed = "--register" if extra[0] in ("--kind", "--keep-failed") else "one of its ways"
        raise InputError(
            ", ".join(extra),
            "nothing lays the sources on each other",
            f"Give {needed} too (--register, --transform, --rig), or leave it out.",
        )
    text = asked[ways[0]] if ways else "none"
    return AlignChoice.of_text(text, onto=onto, crop=crop, keep_failed=keep_failed)
