"""What tells patients and series apart without naming anybody; titles without names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from pydicom.dataelem import DataElement
from pydicom.uid import UID

from core.io.readers.dicom.tags import ImageTags
from core.salted import key

_WORD = re.compile(r"[^\W_]+")
_COMPONENT = re.compile(r"[^\s^=\\]+")
_DATE = re.compile(
    r"(?<!\d)(?:(?:19|20)\d{6}|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}[./-]\d{1,2}[./-]\d{1,2})(?!\d)"
)
_LEFT_OUT = "…"
_NAMES = ("PatientName", "OtherPatientNames", "PatientBirthName")
_NAME_TAGS = (*_NAMES, "PatientID", "OtherPatientIDs", "AccessionNumber", "PatientBirthDate")
_LONG, _HALF_LONG = 4, 3
"""Names of so many letters are also found inside other words (“SmithT1”), or at their ends."""
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u3040-\ud7af\uf900-\ufaff]|[\U00020000-\U0003ffff]"
)
"""Letters of scripts that write words without blanks between them, or names of one letter."""
_UMLAUTS = {"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "æ": "ae", "œ": "oe"}


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
        key("".join(sorted(name_words(tags)))),
        key(tags.text("PatientBirthDate").strip()),
    )


def name_words(tags: ImageTags) -> frozenset[str]:
    """The words of the patient's name without case and accents; not to be kept or shown."""
    return frozenset(_WORD.findall("".join(map(_plain, _composed(tags.text("PatientName"))))))


class Person(NamedTuple):
    """Name and birth date of a patient; not to be kept or shown."""

    words: frozenset[str]
    birth: str

    def may_be(self, other: Person) -> bool:
        """False where name and birth date differ, or the names share nothing and no date helps."""
        if self.birth and other.birth:
            return self.words == other.words or self.birth == other.birth
        return bool(self.words & other.words)


def person_of(tags: ImageTags) -> Person:
    """Whom ``tags`` name."""
    return Person(name_words(tags), tags.text("PatientBirthDate").strip())


def people_of(named: Iterable[Person]) -> list[Person]:
    """One of each; those without a name count for nobody."""
    found: list[Person] = []
    for person in named:
        if person.words and not any(person.may_be(other) for other in found):
            found.append(person)
    return found


def person_key(patient: str, person: Person, people: Sequence[Person]) -> str:
    """The key ``patient``, or where ``people`` share it, one for that of them who is meant."""
    if len(people) < 2:
        return patient
    meant = next((one for one in people if person.may_be(one)), person)
    return key("person", patient, " ".join(sorted(meant.words)), meant.birth)


def without_names(text: str, tags: ImageTags) -> str:
    """``text`` without the patient's name and IDs, and without dates; "" when nothing is left.

    Names are found in either case, with or without accents, and with umlauts spelt as two letters.
    """
    text = _composed("".join(c if c.isprintable() else " " for c in text))
    text = _DATE.sub(_LEFT_OUT, text)
    for keyword in _NAME_TAGS:
        known = _composed(tags.text(keyword)).strip()
        if len(known) > 1:
            text = re.sub(re.escape(known), _LEFT_OUT, text, flags=re.IGNORECASE)
        for word in _words(known):
            for spelling in {"".join(map(_plain, word)), "".join(map(_in_two, word))}:
                pattern = _pattern(spelling, keyword in _NAMES)
                for folded in (_plain, _in_two):
                    text = _without(text, pattern, folded)
    return " ".join(text.split()) if any(map(str.isalnum, text)) else ""


def _words(known: str) -> Iterator[str]:
    """The words of a name or ID, and its parts with what joins words left out (“ONeil”)."""
    joined = ("".join(_WORD.findall(part)) for part in _COMPONENT.findall(known))
    yield from sorted({*_WORD.findall(known), *joined}, key=len, reverse=True)


def _pattern(word: str, is_name: bool) -> re.Pattern[str] | None:
    """What finds ``word``: inside other words, at their ends, or where it stands alone."""
    plain = re.escape(word)
    if is_name and (_UNSPACED.search(word) or len(word) >= _LONG):
        return re.compile(plain)
    if len(word) < 2:
        return None
    before, after = r"(?<![^\W_])", r"(?![^\W_])"
    if is_name and len(word) >= _HALF_LONG:
        return re.compile(f"{before}{plain}|{plain}{after}")
    return re.compile(f"{before}{plain}{after}")


def _without(text: str, pattern: re.Pattern[str] | None, folded: Callable[[str], str]) -> str:
    """``text`` without what ``pattern`` finds in it after ``folded`` was applied to each letter."""
    if pattern is None:
        return text
    parts = [folded(letter) for letter in text]
    origin = [index for index, part in enumerate(parts) for _ in part]
    kept, at = [], 0
    for match in pattern.finditer("".join(parts)):
        first, last = origin[match.start()], origin[match.end() - 1]
        kept += [text[at:first], _LEFT_OUT]
        at = max(at, last + 1)
    return "".join([*kept, text[at:]])


def _composed(text: str) -> str:
    """One way to write each letter, whether accents are letters of their own or not."""
    return unicodedata.normalize("NFC", text)


def _plain(letter: str) -> str:
    """A letter without case, accent and width; “ß” is “ss”."""
    apart = unicodedata.normalize("NFKD", letter.casefold())
    return "".join(one for one in apart if not unicodedata.combining(one)) or letter


def _in_two(letter: str) -> str:
    """A letter without case and accent; of umlauts two letters."""
    return _UMLAUTS.get(letter.casefold()) or _plain(letter)


def _normal(text: str) -> str:
    return " ".join(_composed(text).split()).casefold()


_NUMBERS = frozenset(
    (
        *("AT", "DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV", "OB", "OD", "OF"),
        *("OL", "OV", "OW", "US or SS", "OB or OW", "US or OW", "US or SS or OW"),
    )
)
"""Kinds of values that are no text."""
_CODE_STRING = re.compile(r"[A-Z0-9_ ]{0,16}")
_PATIENT_GROUP = 0x0010
_HARMLESS_TEXTS = frozenset(
    (
        *("AttenuationCorrectionMethod", "CodingSchemeDesignator", "ConvolutionKernel"),
        *("FilterType", "Manufacturer", "ManufacturerModelName", "MappingResource"),
        *("ProtocolName", "RadiopharmaceuticalName", "Radiopharmaceutical"),
        *("ReceiveCoilName", "ReconstructionMethod", "RescaleType", "ScatterCorrectionMethod"),
        *("SequenceName", "SeriesDescription", "SoftwareVersions", "TransmitCoilName"),
        *("LUTExplanation", "WindowCenterWidthExplanation", "RandomsCorrectionMethod"),
    )
)
"""Texts about the machine and the method; free text among them still goes through a search."""
_CODED = frozenset(
    (
        *("AdministrationRouteCodeSequence", "AnatomicRegionSequence", "ViewCodeSequence"),
        *("MeasurementUnitsCodeSequence", "PatientGantryRelationshipCodeSequence"),
        *("PatientOrientationCodeSequence", "PatientOrientationModifierCodeSequence"),
        *("RadionuclideCodeSequence", "RadiopharmaceuticalCodeSequence"),
        *("SliceProgressionDirection", "QuantityDefinitionSequence"),
    )
)
"""Sequences whose codes say nothing about persons and places."""
_CODE_TEXTS = frozenset(("CodeMeaning", "CodeValue", "LongCodeValue"))


def is_confidential(element: DataElement, parent: str = "") -> bool:
    """Whether a tag names, or may name, a person, a place, a date or an examination.

    What the basic profile of DICOM PS3.15 removes, and more: of texts, only those that are known
    to be about the machine and the method are not; private tags always are.

    Args:
        element: read by pydicom.
        parent: keyword of the sequence it lies in; "" for none.
    """
    kind, tag = str(element.VR), element.tag
    if tag.is_private or tag.group == _PATIENT_GROUP:
        return True
    if kind == "UI":
        values = element.value if element.VM > 1 else [element.value]
        return any(UID(str(value)).name == str(value) for value in values)
    if element.keyword in _CODE_TEXTS:
        return parent not in _CODED
    if kind == "CS":
        values = element.value if element.VM > 1 else [element.value]
        return not all(_CODE_STRING.fullmatch(str(value)) for value in values)
    if kind == "SQ" or kind in _NUMBERS:
        return False
    return element.keyword not in _HARMLESS_TEXTS
