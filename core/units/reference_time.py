"""The moment that the activity of a PET series was decay corrected to (DecayCorrection START).

The standard names it the start of the acquisition; which tag holds it depends on who wrote the
file:

==========================================  ====================================================
DecayCorrectionDateTime present (enhanced)  that
series time not after first acquisition     series time
series time later: made afterwards          1. GE: PET scan date and time (0009,100D)
                                            2. Siemens: computed back from FrameReferenceTime and
                                               the mean of the frame's decay
                                            3. the first acquisition of the series
==========================================  ====================================================

FrameReferenceTime and DecayFactor of each slice, where they say something, must agree with it to a
minute and the length of the frame. Philips and others write the start of the scan as acquisition
time of every bed; there the two tags bear on no time that is in the file, and are not asked.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from pydicom.dataset import Dataset

from core.messages import Message
from core.units.headers import (
    SeriesHeaders,
    number_of,
    private_label,
    private_text,
    tag_label,
    text,
)
from core.units.moments import moment, parse_datetime, parse_zone, seconds_between, time_of_day

_MINUTE = 60.0
_SAME = 60.0
"""Seconds that two clocks, or two ways to write one moment, may differ by."""
_START_OF_SCAN = 2.0
_SAME_START = 10.0
_LONGEST_WAIT = 30 * _MINUTE
"""From the series time to the first acquisition, where no other tag confirms the series time."""
_LONGEST_SCAN = 6 * 3600.0
"""From the acquisition of one slice to that of another."""
_UNKNOWN_FRAME = 10 * _MINUTE
_FACTOR_TOLERANCE = 0.01
_GE_CREATOR = "GEMS_PETD_01"
_GE_LABEL = private_label(_GE_CREATOR, 0x0009, 0x0D)
_ACQUISITION = tag_label("AcquisitionTime")
_SERIES = tag_label("SeriesTime")
_FRAME = tag_label("FrameReferenceTime")
_FACTOR = tag_label("DecayFactor")

_Verdict = Literal["agrees", "contradicts", "silent"]


@dataclass(frozen=True)
class ReferenceTime:
    """The moment, and the tag that it was taken from."""

    at: datetime
    tag: str


def reference_time(series: SeriesHeaders, half_life: float) -> ReferenceTime | None:
    """The moment that all slices were decay corrected to; None, and a problem, where unknown.

    Args:
        series: of one PET series with DecayCorrection START.
        half_life: in seconds.
    """
    stated = series.common("DecayCorrectionDateTime", needed=False)
    if stated:
        return _stated(series, stated)
    acquired = acquisitions(series)
    begun = _series_time(series)
    if acquired is None or begun is None:
        return None
    first = min(acquired)
    if begun <= first:
        found = _not_after(series, begun)
    else:
        found = _made_afterwards(series, acquired, half_life)
    if found is None or not _confirmed(series, found, acquired, half_life):
        return None
    series.use(found.tag, time_of_day(found.at))
    return found


def _stated(series: SeriesHeaders, stated: str) -> ReferenceTime | None:
    tag = tag_label("DecayCorrectionDateTime")
    read = parse_datetime(stated)
    if read is None:
        series.contradicts(tag, Message("{0} is not a date with a time", tag))
        return None
    at = local_reading(series, *read)
    if at is None:
        return None
    series.use(tag, time_of_day(at))
    return ReferenceTime(at, tag)


def local_reading(
    series: SeriesHeaders, reading: datetime, offset: timedelta | None, same: bool = False
) -> datetime | None:
    """A date with a time, in the zone of the series' other times.

    Args:
        series: of which TimezoneOffsetFromUTC is asked.
        reading: what the wall clock shows.
        offset: its own offset from UTC, or None where it has none: nothing to do.
        same: whether another tag is known to show the same reading in the zone of the series.

    Returns:
        None, and a problem, where the zone of the other times is not known.
    """
    if offset is None:
        return reading
    tag = tag_label("TimezoneOffsetFromUTC")
    plain = series.common("TimezoneOffsetFromUTC", needed=not same)
    if not plain:
        return reading if same else None
    zone = parse_zone(plain)
    if zone is None:
        series.contradicts(tag, Message("{0} is not an offset of hours and minutes", tag))
        return None
    return reading + zone - offset


def acquisitions(series: SeriesHeaders) -> list[datetime] | None:
    """When the acquisition of each slice began; None, and a problem, where one is not known."""
    found = [_acquisition(series, header) for header in series]
    known = [one for one in found if one is not None]
    if len(known) < len(found):
        return None
    spread = seconds_between(min(known), max(known))
    if spread > _LONGEST_SCAN:
        date = tag_label("AcquisitionDate")
        series.contradicts(
            date,
            Message(
                "{0} and {1} differ by {2:.0f} hours from slice to slice",
                date,
                _ACQUISITION,
                spread / 3600,
            ),
        )
        return None
    return known


def _acquisition(series: SeriesHeaders, header: Dataset) -> datetime | None:
    whole, time = text(header, "AcquisitionDateTime"), text(header, "AcquisitionTime")
    read = parse_datetime(whole)
    if not time and read is not None:
        return local_reading(series, *read)
    if not time:
        series.missing(_ACQUISITION)
        return None
    date = text(header, "AcquisitionDate")
    at = moment(date, time) if date else _undated(series, header, time)
    if at is None:
        series.contradicts(
            _ACQUISITION,
            Message(
                "{0} and {1} are no valid date and time", tag_label("AcquisitionDate"), _ACQUISITION
            ),
        )
    elif read is not None and read[1] is None and abs(seconds_between(at, read[0])) > _SAME:
        tag = tag_label("AcquisitionDateTime")
        series.contradicts(tag, Message("{0} contradicts {1}", tag, _ACQUISITION))
        return None
    return at


def _undated(series: SeriesHeaders, header: Dataset, time: str) -> datetime | None:
    """An acquisition without a date: on the day of the series, or after the midnight thereafter."""
    begun = moment(text(header, "SeriesDate"), text(header, "SeriesTime"))
    at = moment(text(header, "SeriesDate"), time)
    if begun is None or at is None:
        return None
    return at + timedelta(days=1) if seconds_between(at, begun) > 12 * 3600 else at


def _series_time(series: SeriesHeaders) -> datetime | None:
    date, time = series.common("SeriesDate"), series.common("SeriesTime")
    if not date or not time:
        return None
    at = moment(date, time)
    if at is None:
        series.contradicts(
            _SERIES,
            Message("{0} and {1} are no valid date and time", tag_label("SeriesDate"), _SERIES),
        )
    return at


def _not_after(series: SeriesHeaders, begun: datetime) -> ReferenceTime | None:
    scanned = _ge_scan(series)
    if scanned is not None and abs(seconds_between(begun, scanned)) > _SAME:
        series.contradicts(_GE_LABEL, Message("{0} contradicts {1}", _GE_LABEL, _SERIES))
        return None
    return ReferenceTime(begun, _SERIES)


def _made_afterwards(
    series: SeriesHeaders, acquired: list[datetime], half_life: float
) -> ReferenceTime | None:
    first = min(acquired)
    series.notes.append(
        Message("{0} is later than the first acquisition: the series was made afterwards", _SERIES)
    )
    if any(_ge_text(header) for header in series):
        scanned = _ge_scan(series)
        if scanned is None or seconds_between(first, scanned) > _SAME:
            series.contradicts(_GE_LABEL, Message("{0} contradicts {1}", _GE_LABEL, _ACQUISITION))
            return None
        return ReferenceTime(scanned, _GE_LABEL)
    computed = _computed_back(series, acquired, half_life)
    if not computed:
        return ReferenceTime(first, _ACQUISITION)
    at, spread = computed[len(computed) // 2], seconds_between(computed[0], computed[-1])
    if spread > _SAME or seconds_between(first, at) > _SAME:
        series.contradicts(_FRAME, Message("{0} contradicts {1}", _FRAME, _ACQUISITION))
        return None
    if abs(seconds_between(first, at)) <= _SAME_START:
        return ReferenceTime(first, _ACQUISITION)
    return ReferenceTime(at, _FRAME)


def _ge_text(header: Dataset) -> str:
    return private_text(header, 0x0009, _GE_CREATOR, 0x0D)


def _ge_scan(series: SeriesHeaders) -> datetime | None:
    found = {_ge_text(header) for header in series}
    read = parse_datetime(found.pop()) if len(found) == 1 else None
    return None if read is None else local_reading(series, *read)


def _computed_back(
    series: SeriesHeaders, acquired: list[datetime], half_life: float
) -> list[datetime]:
    """The moment from each slice, earliest first; none where a slice cannot say, or not Siemens."""
    maker = text(series.headers[0], "Manufacturer").upper()
    if not ("SIEMENS" in maker or maker.startswith("CPS")):
        return []
    found = []
    for header, start in zip(series, acquired, strict=True):
        offset, length = _frame_offset(header), _frame_length(header)
        if offset is None or length is None:
            return []
        found.append(start + timedelta(seconds=_mean_decay(length, half_life) - offset))
    return sorted(found)


def _frame_offset(header: Dataset) -> float | None:
    """FrameReferenceTime in seconds; None where it is absent or 0, which says nothing."""
    value = number_of(text(header, "FrameReferenceTime"))
    return value / 1000 if value > 0 else None


def _frame_length(header: Dataset) -> float | None:
    """ActualFrameDuration in seconds."""
    value = number_of(text(header, "ActualFrameDuration"))
    return value / 1000 if value > 0 else None


def _mean_decay(length: float, half_life: float) -> float:
    """Seconds into a frame at which its activity is the mean of the frame."""
    decay = math.log(2) / half_life * length
    return length / decay * math.log(decay / -math.expm1(-decay))


def _confirmed(
    series: SeriesHeaders, found: ReferenceTime, acquired: list[datetime], half_life: float
) -> bool:
    """Whether nothing speaks against the moment, and enough for it; adds a problem otherwise."""
    delays = [seconds_between(found.at, start) for start in acquired]
    verdicts = [
        _verdict(series, header, (delay, found.tag == _SERIES), half_life)
        for header, delay in zip(series, delays, strict=True)
    ]
    if "contradicts" in verdicts:
        return False
    certain = [
        verdict == "agrees" or abs(delay) <= _SAME
        for verdict, delay in zip(verdicts, delays, strict=True)
    ]
    kind = text(series.headers[0], "SeriesType").split("\\")[0]
    if kind in {"DYNAMIC", "GATED"} and not all(certain):
        series.missing(_FRAME)
        return False
    wait = min(delays)
    if found.tag == _SERIES and wait > _SAME and "agrees" not in verdicts:
        if wait > _LONGEST_WAIT:
            series.contradicts(
                _SERIES,
                Message(
                    "{0} is {1:.0f} min before the first acquisition, and no other tag confirms it",
                    _SERIES,
                    wait / _MINUTE,
                ),
            )
            return False
        series.notes.append(
            Message("{0} is {1:.0f} min before the first acquisition", _SERIES, wait / _MINUTE)
        )
    return True


def _verdict(
    series: SeriesHeaders, header: Dataset, begun: tuple[float, bool], half_life: float
) -> _Verdict:
    """What the tags of a frame say of the moment.

    Args:
        series: to note problems in.
        header: of the frame.
        begun: how many seconds after the moment its acquisition began, and whether the moment is
            the series time, so that acquisition times may all be the start of the scan.
        half_life: in seconds.
    """
    delay = begun[0]
    may_be_start = begun[1] and abs(delay) <= _START_OF_SCAN
    offset, factor = _frame_offset(header), number_of(text(header, "DecayFactor"))
    length = _frame_length(header) or _UNKNOWN_FRAME
    said: _Verdict = "silent"
    if factor > 0:
        least = 2 ** (delay / half_life) * (1 - _FACTOR_TOLERANCE)
        most = 2 ** ((delay + length) / half_life) * (1 + _FACTOR_TOLERANCE)
        if least <= factor <= most:
            said = "agrees"
        elif not may_be_start or not _is_of(factor, offset, half_life):
            series.contradicts(
                _FACTOR, Message("{0} of {1:g} contradicts {2}", _FACTOR, factor, _ACQUISITION)
            )
            return "contradicts"
    if offset is None:
        return said
    if delay - _SAME <= offset <= delay + length + _SAME:
        return "agrees"
    if may_be_start:
        return said
    series.contradicts(_FRAME, Message("{0} contradicts {1}", _FRAME, _ACQUISITION))
    return "contradicts"


def _is_of(factor: float, offset: float | None, half_life: float) -> bool:
    """Whether both tags of a frame put it at the same time after the start of the scan."""
    if offset is None:
        return False
    return abs(factor / 2 ** (offset / half_life) - 1) <= _FACTOR_TOLERANCE
