"""Dates and times of day as DICOM writes them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from core.units.moments import moment, parse_datetime, parse_zone, time_of_day


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("08", datetime(2020, 1, 2, 8)),
        ("0830", datetime(2020, 1, 2, 8, 30)),
        ("083045", datetime(2020, 1, 2, 8, 30, 45)),
        ("083045.5", datetime(2020, 1, 2, 8, 30, 45, 500_000)),
        ("083045.000123", datetime(2020, 1, 2, 8, 30, 45, 123)),
        ("08:30:45", datetime(2020, 1, 2, 8, 30, 45)),
        ("235960", datetime(2020, 1, 3)),
        ("2430", None),
        ("0861", None),
        ("8:30", None),
        ("noon", None),
        ("", None),
    ],
)
def test_time_of_day(time, expected) -> None:
    assert moment("20200102", time) == expected


@pytest.mark.parametrize("date", ["20200230", "2020", "02.01.2020", "", "20201301"])
def test_what_is_no_date(date) -> None:
    assert moment(date, "0830") is None


def test_dates_of_old_files() -> None:
    assert moment("2020.01.02", "0830") == datetime(2020, 1, 2, 8, 30)


@pytest.mark.parametrize(
    ("plain", "expected"),
    [
        ("20200102083045", (datetime(2020, 1, 2, 8, 30, 45), None)),
        ("20200102083045.25", (datetime(2020, 1, 2, 8, 30, 45, 250_000), None)),
        ("2020010208+0130", (datetime(2020, 1, 2, 8), timedelta(minutes=90))),
        ("20200102083045-0500", (datetime(2020, 1, 2, 8, 30, 45), timedelta(hours=-5))),
        ("20200102", None),
        ("202001", None),
        ("20200231083045", None),
        ("20200102083045+1", None),
        ("yesterday", None),
    ],
)
def test_date_and_time_in_one(plain, expected) -> None:
    assert parse_datetime(plain) == expected


def test_zone() -> None:
    assert parse_zone("-0330") == timedelta(hours=-3, minutes=-30)
    assert parse_zone("Z") is None


def test_shown_without_the_date() -> None:
    assert time_of_day(datetime(2020, 1, 2, 8, 30, 45, 99_999)) == "08:30:45"
    assert time_of_day(datetime(2020, 1, 2, 8, 30, 45, 150_000)) == "08:30:45.1"
