"""Dates and times of day as DICOM writes them, and how they are shown: without the date."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

_DATE = re.compile(r"(\d{4})\.?(\d{2})\.?(\d{2})")
_TIME = re.compile(r"(\d{2})(?::?(\d{2})(?::?(\d{2})(?:[.,](\d+))?)?)?")
_DATETIME = re.compile(r"(\d{8})(\d{2}(?:\d{2}(?:\d{2}(?:\.\d+)?)?)?)([+-]\d{4})?")
_ZONE = re.compile(r"([+-])(\d{2})(\d{2})")


def parse_date(plain: str) -> datetime | None:
    """Midnight of a DA value; None for what is none."""
    match = _DATE.fullmatch(plain)
    if match is None:
        return None
    try:
        return datetime(*map(int, match.groups()))  # type: ignore[arg-type]
    except ValueError:
        return None


def parse_time(plain: str) -> timedelta | None:
    """A TM value (hours alone to millionths of a second) since midnight; None for what is none."""
    match = _TIME.fullmatch(plain)
    if match is None:
        return None
    hours, minutes, seconds, fraction = match.groups()
    h, m, s = int(hours), int(minutes or 0), int(seconds or 0)
    if h > 23 or m > 59 or s > 60:  # 60: a leap second
        return None
    return timedelta(hours=h, minutes=m, seconds=s + float(f"0.{fraction or 0}"))


def moment(date: str, time: str) -> datetime | None:
    """A DA and a TM value together; None where one is none."""
    day, since = parse_date(date), parse_time(time)
    return None if day is None or since is None else day + since


def parse_datetime(plain: str) -> tuple[datetime, timedelta | None] | None:
    """A DT value that goes to the hour at least, and its offset from UTC where it has one.

    Returns:
        The wall clock's reading, not yet shifted by the offset; None for what is none.
    """
    match = _DATETIME.fullmatch(plain)
    if match is None:
        return None
    date, time, zone = match.groups()
    reading = moment(date, time)
    if reading is None:
        return None
    return reading, parse_zone(zone) if zone else None


def parse_zone(plain: str) -> timedelta | None:
    """An offset from UTC, “+0100”; None for what is none."""
    match = _ZONE.fullmatch(plain)
    if match is None:
        return None
    sign, hours, minutes = match.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return -offset if sign == "-" else offset


def time_of_day(reading: datetime) -> str:
    """“08:30:45”, with tenths only where there are any."""
    plain = f"{reading:%H:%M:%S}"
    return f"{plain}.{reading.microsecond // 100_000}" if reading.microsecond >= 100_000 else plain


def seconds_between(earlier: datetime, later: datetime) -> float:
    """Signed."""
    return (later - earlier).total_seconds()
