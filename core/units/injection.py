"""What was injected and when: one item of RadiopharmaceuticalInformationSequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydicom.dataset import Dataset

from core.messages import Message
from core.units.headers import SeriesHeaders, items, tag_label
from core.units.moments import moment, parse_datetime, parse_time, seconds_between, time_of_day
from core.units.nuclides import Nuclide, has_half_life, named_nuclide, nuclides_of
from core.units.reference_time import local_reading

_DAY = 86400.0
_SAME = 60.0
_MOST_HALF_LIVES = 6
"""Between injection and scan: of more, 2 % is left and nobody scans."""
_MOST_OVER_MIDNIGHT = 6 * 3600.0
_LONGEST_WITHOUT_DATE = 6 * 3600.0
"""A nuclide of a longer half-life is also imaged on another day than that of the injection."""
_SEQUENCE = tag_label("RadiopharmaceuticalInformationSequence")
_DOSE = tag_label("RadionuclideTotalDose")
_HALF_LIFE = tag_label("RadionuclideHalfLife")
_START = tag_label("RadiopharmaceuticalStartTime")
_START_DATETIME = tag_label("RadiopharmaceuticalStartDateTime")


@dataclass(frozen=True)
class Drug:
    """The radiopharmaceutical of a series.

    Attributes:
        items: one for each slice.
        nuclide: None where neither name nor half-life tells.
    """

    items: tuple[Dataset, ...]
    nuclide: Nuclide | None

    @property
    def dose_range(self) -> tuple[float, float]:
        """Least and greatest activity in Bq that a person may have been given."""
        return self.nuclide.dose if self.nuclide else (1e6, 20e9)


def injected_drug(series: SeriesHeaders) -> Drug | None:
    """The one radiopharmaceutical; None, and a problem, where there are none or several."""
    found: list[Dataset] = []
    for header in series:
        own = items(header, "RadiopharmaceuticalInformationSequence")
        if not own:
            series.missing(_SEQUENCE)
            return None
        if len(own) > 1:
            series.unsuitable(
                _SEQUENCE, Message("{0} has {1} items instead of one", _SEQUENCE, len(own))
            )
            return None
        found.append(own[0])
    names = [named_nuclide(item) for item in found]
    if len(set(names)) > 1:
        series.differs(_SEQUENCE)
        return None
    return Drug(tuple(found), names[0])


def injected_dose(series: SeriesHeaders, drug: Drug) -> float | None:
    """RadionuclideTotalDose in Bq; None, and a problem, where it is missing or in another unit."""
    dose = series.positive("RadionuclideTotalDose", drug.items)
    if dose is None:
        return None
    series.use(_DOSE, f"{dose:.10g} Bq")
    least, most = drug.dose_range
    if not least <= dose <= most:
        series.contradicts(
            _DOSE,
            Message("{0} of {1:g} is implausible in Bq: it may be in another unit", _DOSE, dose),
        )
        return None
    return dose


def half_life_of(series: SeriesHeaders, drug: Drug) -> float | None:
    """RadionuclideHalfLife in seconds; None, and a problem, where missing or not the nuclide's."""
    half_life = series.positive("RadionuclideHalfLife", drug.items)
    if half_life is None:
        return None
    series.use(_HALF_LIFE, f"{half_life:.10g} s")
    if drug.nuclide is not None and not has_half_life(drug.nuclide, half_life):
        series.contradicts(
            _HALF_LIFE,
            Message("{0} of {1:g} s is not that of {2}", _HALF_LIFE, half_life, drug.nuclide.name),
        )
        return None
    if drug.nuclide is None and not nuclides_of(half_life):
        series.contradicts(
            _HALF_LIFE,
            Message("{0} of {1:g} s is that of no known nuclide", _HALF_LIFE, half_life),
        )
        return None
    return half_life


def with_nuclide_of(drug: Drug, half_life: float) -> Drug:
    """``drug`` with the nuclide that its half-life tells, where its name does not."""
    if drug.nuclide is not None:
        return drug
    return Drug(drug.items, nuclides_of(half_life)[0])


def injection_time(
    series: SeriesHeaders, of: Sequence[Dataset], reference: datetime, half_life: float
) -> datetime | None:
    """When it was injected; None, and a problem, where that is unknown or makes no sense.

    RadiopharmaceuticalStartDateTime where there is one. Else the time of day, on the day of the
    scan, or the day before where the scan was soon after midnight.

    Args:
        series: to note tags and problems in.
        of: the item of the radiopharmaceutical sequence of each slice.
        reference: the moment that the pixels were decay corrected to.
        half_life: in seconds.
    """
    plain = series.common("RadiopharmaceuticalStartTime", of, needed=False)
    dated = series.common("RadiopharmaceuticalStartDateTime", of, needed=False)
    if series.problems:
        return None
    if dated:
        at, tag = _dated(series, dated, plain), _START_DATETIME
    elif plain:
        at, tag = _undated(series, plain, reference, half_life), _START
    else:
        series.missing(_START_DATETIME)
        return None
    if at is None:
        return None
    series.use(tag, time_of_day(at))
    elapsed = seconds_between(at, reference)
    if elapsed < 0:
        series.contradicts(tag, Message("{0} is after the scan", tag))
        return None
    if elapsed > _MOST_HALF_LIVES * half_life:
        series.contradicts(
            tag,
            Message(
                "{0} is {1:.1f} hours before the scan, too long for this nuclide",
                tag,
                elapsed / 3600,
            ),
        )
        return None
    return at


def _dated(series: SeriesHeaders, dated: str, plain: str) -> datetime | None:
    read = parse_datetime(dated)
    if read is None:
        message = Message("{0} is not a date with a time", _START_DATETIME)
        series.contradicts(_START_DATETIME, message)
        return None
    at = local_reading(series, *read, same=bool(plain) and _same_clock(read[0], plain))
    if at is None:
        return None
    if plain and not _same_clock(at, plain):
        message = Message("{0} contradicts {1}", _START_DATETIME, _START)
        series.contradicts(_START_DATETIME, message)
        return None
    return at


def _same_clock(reading: datetime, plain: str) -> bool:
    """Whether a time of day is that of ``reading``, to a minute and whatever the day."""
    since = parse_time(plain)
    if since is None:
        return False
    midnight = reading.replace(hour=0, minute=0, second=0, microsecond=0)
    apart = abs(seconds_between(midnight + since, reading)) % _DAY
    return min(apart, _DAY - apart) <= _SAME


def _undated(
    series: SeriesHeaders, plain: str, reference: datetime, half_life: float
) -> datetime | None:
    at = moment(f"{reference:%Y%m%d}", plain)
    if at is None:
        series.contradicts(_START, Message("{0} is not a time of day", _START))
        return None
    if half_life > _LONGEST_WITHOUT_DATE:
        series.missing(_START_DATETIME)
        return None
    if at <= reference:
        return at
    before = at - timedelta(days=1)
    if seconds_between(before, reference) > min(_MOST_OVER_MIDNIGHT, _MOST_HALF_LIVES * half_life):
        series.use(_START, time_of_day(at))
        series.contradicts(_START, Message("{0} is after the scan", _START))
        return None
    series.notes.append(
        Message(
            "{0} has no date, and {1} is later in the day than the scan: taken as the day before",
            _START,
            time_of_day(at),
        )
    )
    return before
