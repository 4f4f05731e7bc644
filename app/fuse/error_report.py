"""The text of “Copy details”, without file names, as these may identify patients."""

from __future__ import annotations

import platform

from app.fuse.state import FuseState
from app.widgets.privacy import without_names
from app.workers import details_of
from core import __version__


def describe(session: FuseState) -> str:
    """The problem on screen, the settings and the system, without file names."""
    problem = session.problem
    if problem is None:
        return ""
    device = session.engine.device if session.engine else None
    pair = session.sources.pair
    lines = [
        f"UniFusion Studio {__version__}",
        f"System: {platform.platform()}, Python {platform.python_version()}",
        f"Device: {device.label} ({device.reason})" if device else "Device: not known",
        f"Task: {session.task.name}; method: {session.resolved_method() or 'default'}",
        f"Sources: {pair.a.width}×{pair.a.height}, {pair.bit_depth} bit"
        if pair
        else "Sources: none",
        "",
        str(problem.error),
        "",
        details_of(problem.error),
    ]
    return without_names("\n".join(lines).strip(), session.known_paths) + "\n"
