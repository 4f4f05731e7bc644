"""Names of results: a template with fields, filled in so that nothing leaves the output folder."""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from core.batch_settings import DEFAULT_TEMPLATE
from core.errors import InputError, Said
from core.io.pairing import Match
from core.io.writer import WRITE_SUFFIXES

FIELDS: dict[str, str] = {
    "name": "what the two names share",
    "a_stem": "name of A without suffix",
    "b_stem": "name of B without suffix",
    "task": "short name of the task",
    "method": "name of the pack or classical method",
    "index": "number of the pair, from 1; {index:04} gives 0001",
}
"""What may stand in a template, with an explanation each."""

_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_RESERVED = {"con", "prn", "aux", "nul", *(f"{d}{n}" for d in ("com", "lpt") for n in range(1, 10))}


def split_template(template: str) -> tuple[str, str]:
    """(template without suffix, suffix such as ``.png`` or "").

    Raises:
        InputError: an unknown field, unbalanced braces, a path that leaves the output folder, or
            characters that some systems do not allow in names.
    """
    suffix = next((s for s in WRITE_SUFFIXES if template.lower().endswith(s)), "")
    body = template[: len(template) - len(suffix)]
    what = Said("Name template “{0}”", template)
    if not body.strip():
        raise InputError(what, "it is empty", Said("Use for instance “{0}”.", DEFAULT_TEMPLATE))
    try:
        parsed = list(string.Formatter().parse(body))
    except ValueError as error:
        remedy = Said("Write {0} and {1} for braces.", "{{", "}}")
        raise InputError(what, str(error), remedy) from error
    for _, name, spec, conversion in parsed:
        if name is not None:
            _check_field(what, name, spec or "", conversion)
    literal = "".join(text for text, *_ in parsed).replace("/", "")
    if bad := _FORBIDDEN.search(literal):
        why = Said("the character {0!r} is not allowed", bad.group())
        raise InputError(what, why, "Leave it out.")
    parts = PurePosixPath(body).parts
    if body.startswith("/") or any(part.strip(" ") in ("..", ".") for part in parts):
        raise InputError(what, "it leaves the output folder", "Give names below it, without “..”.")
    return body, suffix


def _check_field(what: str, name: str, spec: str, conversion: str | None) -> None:
    if name not in FIELDS:
        known = ", ".join(f"{{{field}}}" for field in FIELDS)
        why = Said("there is no field “{0}”", f"{{{name}}}")
        raise InputError(what, why, Said("Use: {0}.", known))
    digits = name == "index" and re.fullmatch(r"0?\d{1,2}d?", spec)
    if conversion is not None or (spec and not digits):
        why = Said("the field “{0}” takes no format", name)
        raise InputError(what, why, Said("Write {0}.", f"{{{name}}}"))


def fill(template: str, match: Match, task: str, method: str, index: int) -> Path:
    """Path of a result below the output folder, without suffix and without the folder tree.

    Args:
        template: as :func:`split_template` gave it back.
        match: the pair. task, method: as in the request; of a pack file, its name counts.
        index: number of the pair, from 1.
    """
    texts = {
        "name": match.name,
        "a_stem": match.a.stem,
        "b_stem": match.b.stem,
        "task": task,
        "method": Path(method).stem if method.endswith(".safetensors") else method or "model",
    }
    values: Mapping[str, object] = {key: _tame(text) for key, text in texts.items()}
    filled = template.format(**values, index=index)
    parts = [_safe_part(part) for part in filled.split("/") if part.strip()]
    return Path(*parts) if parts else Path("_")


def safe_folder(folder: Path) -> Path:
    """``folder`` (relative) with every part made safe; parts that lead upwards are dropped."""
    parts = [part for part in folder.parts if part not in ("..", ".", folder.anchor)]
    return Path(*(_safe_part(_tame(part)) for part in parts)) if parts else Path()


def same_name_key(path: Path) -> str:
    """Equal for names that are one file on any system (capitals, composed letters)."""
    return unicodedata.normalize("NFC", path.as_posix()).casefold()


def _tame(text: str) -> str:
    return _FORBIDDEN.sub("_", text)


def _safe_part(part: str) -> str:
    part = part.strip().rstrip(". ")
    if not part or part.startswith("."):
        part = f"_{part.lstrip('.')}"
    if part.split(".")[0].casefold() in _RESERVED:
        part = f"_{part}"
    return part
