"""Names of results: templates with fields, filled in safely below the output folder."""

from __future__ import annotations

import os
import re
import string
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from core.batch.settings import DEFAULT_TEMPLATE
from core.errors import InputError, Message
from core.io.writer import WRITE_SUFFIXES
from core.pairing.folders import Match

FIELDS: dict[str, str] = {
    "name": "what the two names share",
    "a_stem": "name of A without suffix",
    "b_stem": "name of B without suffix",
    "task": "short name of the task",
    "method": "name of the pack or classical method",
    "index": "number of the pair, from 1; {index:04} gives 0001",
}
"""Fields of a template, with an explanation each."""

_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_RESERVED = {
    "con", "prn", "aux", "nul", "conin$", "conout$",
    *(f"{device}{number}" for device in ("com", "lpt") for number in "0123456789¹²³"),
}  # fmt: skip
_PART = len(f".{'0' * 32}.part") + max(map(len, WRITE_SUFFIXES))
"""Bytes of the temporary name of a file while it is written."""


def split_template(template: str) -> tuple[str, str]:
    """Split ``template`` into its body and its suffix, such as ``.png`` or "".

    Raises:
        InputError: an unknown field, unbalanced braces, a path that leaves the output folder, or
            characters that some systems do not allow in names.
    """
    suffix = next((s for s in WRITE_SUFFIXES if template.lower().endswith(s)), "")
    body = template[: len(template) - len(suffix)]
    what = Message("Name template “{0}”", template)
    if not body.strip():
        raise InputError(
            what, Message("it is empty"), Message("Use for instance “{0}”.", DEFAULT_TEMPLATE)
        )
    try:
        parsed = list(string.Formatter().parse(body))
    except ValueError as error:
        remedy = Message("Write {0} and {1} for braces.", "{{", "}}")
        raise InputError(what, str(error), remedy) from error
    for _, name, spec, conversion in parsed:
        if name is not None:
            _check_field(what, name, spec or "", conversion)
    literal = "".join(text for text, *_ in parsed).replace("/", "")
    if bad := _FORBIDDEN.search(literal):
        why = Message("the character {0!r} is not allowed", bad.group())
        raise InputError(what, why, Message("Leave it out."))
    parts = PurePosixPath(body).parts
    if body.startswith("/") or any(part.strip(" ") in ("..", ".") for part in parts):
        raise InputError(
            what,
            Message("it leaves the output folder"),
            Message("Give names below it, without “..”."),
        )
    return body, suffix


def _check_field(what: str, name: str, spec: str, conversion: str | None) -> None:
    field = f"{{{name}}}"
    if name not in FIELDS:
        known = ", ".join(f"{{{one}}}" for one in FIELDS)
        why = Message("there is no field “{0}”", field)
        raise InputError(what, why, Message("Use: {0}.", known))
    digits = name == "index" and re.fullmatch(r"0?\d{1,2}d?", spec)
    if conversion is not None or (spec and not digits):
        why = Message("the field “{0}” takes no format", name)
        raise InputError(what, why, Message("Write {0}.", field))


def fill(template: str, match: Match, task: str, method: str, index: int) -> Path:
    """Path of a result below the output folder, without suffix and without the folder tree.

    Args:
        template: the body, from :func:`split_template`.
        match: the pair. task, method: as in the request; for a pack file, its stem is used.
        index: number of the pair, from 1.
    """
    texts = {
        "name": match.name,
        "a_stem": match.a.stem,
        "b_stem": match.b.stem,
        "task": task,
        "method": Path(method).stem if method.endswith(".safetensors") else method or "model",
    }
    values: Mapping[str, object] = {key: _without_forbidden(text) for key, text in texts.items()}
    filled = template.format(**values, index=index)
    parts = [_safe_part(part) for part in filled.split("/") if part.strip()]
    return Path(*parts) if parts else Path("_")


def safe_folder(folder: Path) -> Path:
    """The relative ``folder`` with valid names only; parts that lead upwards are dropped."""
    parts = [part for part in folder.parts if part not in ("..", ".", folder.anchor)]
    return Path(*(_safe_part(_without_forbidden(part)) for part in parts)) if parts else Path()


def same_name_key(path: Path) -> str:
    """A key that is equal for names that some system treats as one (case, Unicode composition)."""
    return unicodedata.normalize("NFC", path.as_posix()).casefold()


def length_problem(paths: Sequence[Path]) -> str:
    """An error text for the first of ``paths`` that is too long for its file system, or "".

    Most systems limit bytes, not characters, so non-Latin names reach the limit earlier.
    """
    most: dict[Path, tuple[int, int]] = {}
    for path in paths:
        folder = path.parent
        if folder not in most:
            most[folder] = _most_bytes(folder)
        most_name, most_path = most[folder]
        for part in path.parts[-_DEEP:]:
            if _size(part) > most_name:
                return Message(
                    "the name “{0}” has {1} bytes; {2} are possible there: choose a shorter name "
                    "template, such as {3}",
                    _shortened(part), _size(part), most_name, "{index:04}",
                )  # fmt: skip
        name = max(_size(path.name), _PART)
        longest = _size(os.path.abspath(folder)) + 1 + name  # noqa: PTH100
        if longest > most_path:
            return Message(
                "the path of its result would have {0} bytes; {1} are possible there: choose an "
                "output folder nearer to the top, or a shorter name template",
                longest, most_path,
            )  # fmt: skip
    return ""


_DEEP = 64
"""Trailing parts of a path that are checked: those from the template and the source folders."""


def _size(text: str) -> int:
    """Length as the system limits it: UTF-16 units on Windows, else bytes."""
    if sys.platform == "win32":
        return len(text.encode("utf-16-le", "surrogatepass")) // 2
    return len(os.fsencode(text))


def _most_bytes(folder: Path) -> tuple[int, int]:
    """Limits of a name and of a path on the file system where ``folder`` is or will be."""
    if sys.platform == "win32":
        return 255, 259
    there = folder
    while True:
        try:
            return os.pathconf(there, "PC_NAME_MAX"), os.pathconf(there, "PC_PATH_MAX") - 1
        except (OSError, ValueError):
            if there.parent == there:
                return 255, 4095
            there = there.parent


def _shortened(name: str) -> str:
    return name if len(name) <= 40 else f"{name[:24]}…{name[-15:]}"


def _without_forbidden(text: str) -> str:
    return _FORBIDDEN.sub("_", text)


def _safe_part(part: str) -> str:
    part = part.strip().rstrip(". ")
    if not part or part.startswith("."):
        part = f"_{part.lstrip('.')}"
    if part.split(".")[0].rstrip(" ").casefold() in _RESERVED:
        part = f"_{part}"
    return part
