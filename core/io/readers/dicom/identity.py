"""What tells patients and series apart without naming anybody; titles without names."""

from __future__ import annotations

import re

from core.io.readers.dicom.tags import ImageTags
from core.io.readers.salted import key

_WORD = re.compile(r"[^\W_]+")
_DATE = re.compile(
    r"(?<!\d)(?:(?:19|20)\d{6}|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}[./-]\d{1,2}[./-]\d{1,2})(?!\d)"
)
_LEFT_OUT = "…"
_NAME_TAGS = ("PatientName", "PatientID", "OtherPatientIDs", "AccessionNumber", "PatientBirthDate")
_LONG = 4
"""Names of so many letters are also found inside other words (“SmithT1”)."""


def patient_key(tags: ImageTags) -> str:
    """The key of the patient: by ID, else by name and birth date; "" when unknown."""
    known = _normal(tags.text("PatientID"))
    if known:
        return key("id", known)
    name, birth = _normal(tags.text("PatientName")), tags.text("PatientBirthDate").strip()
    return key("name", name, birth) if name else ""


def patient_marks(tags: ImageTags) -> tuple[str, str, str]:
    """Hashes of ID, name and birth date ("" each where there is none), to find two patients."""
    return (
        key(_normal(tags.text("PatientID"))),
        key("".join(sorted(_WORD.findall(tags.text("PatientName").casefold())))),
        key(tags.text("PatientBirthDate").strip()),
    )


def without_names(text: str, tags: ImageTags) -> str:
    """``text`` without the patient's name and IDs, and without dates; "" when nothing is left."""
    text = _DATE.sub(_LEFT_OUT, "".join(c if c.isprintable() else " " for c in text))
    for keyword in _NAME_TAGS:
        known = tags.text(keyword).strip()
        if len(known) > 1:
            text = re.sub(re.escape(known), _LEFT_OUT, text, flags=re.IGNORECASE)
        for word in _WORD.findall(known):
            inside = keyword == "PatientName" and len(word) >= _LONG
            text = _without(text, word, inside)
    return " ".join(text.split()) if any(map(str.isalnum, text)) else ""


def _without(text: str, word: str, inside: bool) -> str:
    """Without ``word`` where it stands alone, or also inside others."""
    if len(word) < 2:
        return text
    pattern = re.escape(word)
    if not inside:
        pattern = rf"(?<![^\W_]){pattern}(?![^\W_])"
    return re.sub(pattern, _LEFT_OUT, text, flags=re.IGNORECASE)


def _normal(text: str) -> str:
    return " ".join(text.split()).casefold()
