"""Names, IDs and dates of patients, planted everywhere, come out nowhere."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core import salted
from core.errors import FusionError
from core.io import read_image
from core.io.volumes import list_series, read_volume
from tests.core.io.dicom_files import BIRTH, ID, NAME, dataset_of, save, slice_tags, write_series

_STORED = np.random.default_rng(3).integers(0, 999, (3, 4, 5)).astype(np.uint16)
_PLANTED = {
    "AccessionNumber": "ACC9911",
    "OtherPatientIDs": "KLM-55",
    "ReferringPhysicianName": "Zweistein^Ottokar",
    "PatientComments": "Zweistein",
    "StudyDate": BIRTH,
    "SeriesDescription": f"T1 Ottokar ZWEISTEIN {ID} 17.08.1939 {BIRTH} KLM-55 ax",
}
_SECRETS = re.compile(
    r"zweistein|ottokar|QX-?447711|447711|19390817|17\.08\.1939|ACC9911|KLM", re.I
)


@pytest.fixture(autouse=True)
def _nothing_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.DEBUG)
    yield
    assert not _SECRETS.search(caplog.text)
    assert not caplog.records


def test_headers_and_volumes_name_nobody(tmp_path: Path) -> None:
    assert NAME.startswith("Zweistein")
    write_series(tmp_path, _STORED, **_PLANTED)
    series = list_series(tmp_path).series[0]
    volume = read_volume(series)
    assert not _SECRETS.search(repr(series) + repr(volume).replace(str(tmp_path), ""))
    assert series.title.replace("…", "").split() == ["T1", "ax"]


def test_ordinary_words_stay(tmp_path: Path) -> None:
    write_series(
        tmp_path, _STORED, PatientName="Lee^An", SeriesDescription="SLEEP scan an PET-20 lee"
    )
    assert list_series(tmp_path).series[0].title == "SLEEP scan … PET-20 …"
    write_series(tmp_path, _STORED, PatientName="Muster^Jo", SeriesDescription="MusterT1")
    assert list_series(tmp_path).series[0].title == "…T1"
    write_series(tmp_path, _STORED, SeriesDescription=NAME)
    assert list_series(tmp_path).series[0].title == ""


@pytest.mark.parametrize(
    "broken",
    [
        {"places": [0, 1, 5]},
        {"PixelSpacing": None},
        {"PatientID": ["Q17", ID, ID], "PatientName": ["Else^Some", NAME, NAME]},
        {"BitsAllocated": 17},
        {"Rows": 4000},
        {"PhotometricInterpretation": NAME},
        {"WindowCenter": None, "NumberOfFrames": 3},
    ],
)
def test_errors_name_nobody(tmp_path: Path, broken: dict[str, Any]) -> None:
    write_series(tmp_path, _STORED, **{**_PLANTED, **broken})
    with pytest.raises(FusionError) as told:
        read_volume(list_series(tmp_path).series[0])
    assert not _SECRETS.search(str(told.value))
    assert not _SECRETS.search(repr(told.value.__cause__))


def test_wrong_values_in_tags_are_not_quoted(tmp_path: Path) -> None:
    """What pydicom says of a value that it cannot convert would quote it."""
    made = dataset_of(_STORED[0], **{**slice_tags(0), **_PLANTED})
    content = save(tmp_path / "a.dcm", made).read_bytes()
    for keyword, value in (("RescaleSlope", b"Zweistein "), ("NumberOfFrames", b"Zweistein ")):
        made.RescaleSlope, made.NumberOfFrames = "1234567890", "1234567890"
        content = save(tmp_path / "a.dcm", made).read_bytes()
        at = content.index(
            bytes([0x28, 0, *((0x53, 0x10) if keyword == "RescaleSlope" else (8, 0))])
        )
        path = tmp_path / "b.dcm"
        path.write_bytes(content[: at + 8] + value + content[at + 18 :])
        with pytest.raises(FusionError) as told:
            read_image(path)
        assert not _SECRETS.search(str(told.value) + repr(told.value.__cause__))


def test_keys_are_salted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_series(tmp_path / "series", _STORED)

    def key(home: Path) -> str:
        monkeypatch.setenv("UNIFUSION_HOME", str(home))
        salted._salt_in.cache_clear()
        return list_series(tmp_path / "series").series[0].patient

    try:
        first = key(tmp_path / "one")
        stored = tmp_path / "one" / salted.SALT_FILE
        assert stored.stat().st_size == 32
        assert stored.stat().st_mode & 0o077 == 0
        assert len(first) == 16
        assert key(tmp_path / "one") == first
        assert key(tmp_path / "two") != first
        stored.write_bytes(b"damaged")
        assert key(tmp_path / "one") not in ("", first)
        assert sorted(path.name for path in (tmp_path / "one").iterdir()) == [salted.SALT_FILE]
        (tmp_path / "file").write_text("no folder: the salt lasts as long as the process")
        assert key(tmp_path / "file") not in ("", first)
    finally:
        salted._salt_in.cache_clear()


def test_the_salt_is_that_of_the_folder_of_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys are those that a new process calculates, whatever was asked for before."""
    code = "from core.salted import key; print(key('patient'))"
    for home in (tmp_path / "one", tmp_path / "two", tmp_path / "one"):
        monkeypatch.setenv("UNIFUSION_HOME", str(home))
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True
        )
        assert salted.key("patient") == done.stdout.strip()


def test_without_a_folder_of_settings_all_threads_have_one_salt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("UNIFUSION_HOME", str(tmp_path / "file"))
    begin = threading.Barrier(8)

    def ask(_: int) -> str:
        begin.wait(10)
        return salted.key("patient")

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(8)))) == 1


@pytest.mark.parametrize(
    ("name", "title", "left"),
    [
        ("Yamada^Tarou=山田^太郎", "頭部山田太郎造影", "頭部……造影"),
        ("林^", "林 Kopf", "… Kopf"),
        ("김^철수", "뇌 김철수 MR", "뇌 …… MR"),
        ("Müller^Jörg", "MUELLER Joerg T1", "… … T1"),
        ("MUELLER^X", "Müller T1", "… T1"),
        ("Mu\u0308ller^Jo\u0308rg", "Müller/Jorg T1", "…/… T1"),
        ("Strauß^Eva", "STRAUSS Kopf", "… Kopf"),
        ("Ott^Kim", "OttT1 Kim", "…T1 …"),
        ("YAMADA^X", "ＹＡＭＡＤＡ head", "… head"),
        ("O'Neil^Sean", "ONeil head", "… head"),
    ],
)
def test_names_are_found_however_they_are_spelt(
    tmp_path: Path, name: str, title: str, left: str
) -> None:
    write_series(
        tmp_path,
        np.zeros((2, 3, 4), np.uint16),
        PatientName=name,
        SeriesDescription=title,
        SpecificCharacterSet="ISO_IR 192",
    )
    assert str(list_series(tmp_path).series[0].title) == left


@pytest.mark.parametrize("keyword", ["OtherPatientNames", "PatientBirthName"])
def test_other_names_of_the_patient_are_not_shown(tmp_path: Path, keyword: str) -> None:
    tags = {keyword: "Xylander^Bertha", "SeriesDescription": "T1 xylander"}
    write_series(tmp_path, np.zeros((2, 3, 4), np.uint16), RescaleType="XYLANDER", **tags)
    (series,) = list_series(tmp_path).series
    assert (str(series.title), series.unit) == ("T1 …", "")


@pytest.mark.parametrize("known", ["山田^太郎", "Yamada^Tarou=山田^太郎"])
def test_names_in_letters_that_are_written_with_escapes(tmp_path: Path, known: str) -> None:
    write_series(
        tmp_path,
        np.zeros((2, 3, 4), np.uint16),
        SpecificCharacterSet=["", "ISO 2022 IR 87"],
        PatientName=known,
        SeriesDescription="頭部 山田太郎",
    )
    assert str(list_series(tmp_path).series[0].title) == "頭部 ……"


def test_words_that_tell_parts_apart_name_nobody(tmp_path: Path) -> None:
    for kind in ("M", "ZWEISTEIN"):
        write_series(
            tmp_path / kind, _STORED, ImageType=["ORIGINAL", "PRIMARY", kind], Units=NAME[:16]
        )
    for series in list_series(tmp_path).series:
        assert not _SECRETS.search(str(series.title))
    write_series(tmp_path / "pet", _STORED, "PT", Units="ZWEISTEIN", RescaleSlope=1)
    assert not _SECRETS.search(list_series(tmp_path / "pet").series[0].unit)
