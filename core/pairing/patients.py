"""Recognises the patient in a file or folder name."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

_PERSON = re.compile(
    r"(?<![a-z])(?:(?:patienten|patient|pat|subject|subj|sub|case|fall|proband|pid|pt)[-_ ]?0*(\d+)"
    r"|(?:patienten|patient|subject|subj|proband|case|fall)[-_ ]([a-z])(?![a-z0-9]))",
    re.IGNORECASE,
)


def patient_of(name: str) -> str:
    """The number or letter of the patient in a name (``sub-07_t1``: ``"7"``), or ``""``."""
    found = _PERSON.search(unicodedata.normalize("NFC", name))
    return (found[1] or found[2]).casefold() if found else ""


def patient_as_written(name: str) -> str:
    """The part of a name that identifies a patient (``sub-07_t1``: ``"sub-07"``), or ``""``."""
    found = _PERSON.search(unicodedata.normalize("NFC", name))
    return found[0] if found else ""


def different_patients(one: Path, other: Path) -> bool:
    """Whether two paths name different patients, each by its last part that names one.

    Common parent folders are ignored.
    """
    shared = {*one.parents} & {*other.parents}
    found = ["", ""]
    for place, path in enumerate((one, other)):
        for part in (path, *path.parents):
            if part in shared or found[place]:
                break
            found[place] = patient_of(part.name)
    return "" not in found and found[0] != found[1]
