"""Formatting of durations, sizes and counts, and titles of curves and metrics."""

from __future__ import annotations

import math
import time

from app.i18n.numbers import number
from app.i18n.translate import tr


def duration(seconds: float) -> str:
    """A rounded duration such as “about 3 min”."""
    if not math.isfinite(seconds):
        return tr("unknown time")
    if seconds < 90:
        return tr("{0} s").format(max(1, round(seconds)))
    minutes = seconds / 60
    if minutes < 90:
        return tr("{0} min").format(round(minutes))
    hours = minutes / 60
    if hours < 48:
        return tr("{0} h").format(number(hours, ".1f" if hours < 10 else ".0f"))
    return tr("{0} days").format(number(hours / 24, ".1f"))


def memory(count: float) -> str:
    """A number of bytes in MB or GB."""
    if count < 1e9:
        return tr("{0} MB").format(round(count / 1e6))
    return tr("{0} GB").format(number(count / 1e9, ".1f"))


def pace(seconds_per_step: float) -> str:
    """Training speed in steps per second, or seconds per step where that is above 1."""
    if seconds_per_step <= 0:
        return ""
    if seconds_per_step < 1:
        return tr("{0} steps per second").format(number(1 / seconds_per_step, ".3g"))
    return tr("{0} s per step").format(number(seconds_per_step, ".3g"))


def device(name: str, reason: str) -> str:
    """A device, and why it was chosen."""
    shown = tr("Processor (CPU)") if name == "cpu" else name
    return f"{shown}: {reason}" if reason else shown


def precision(name: str, reason: str) -> str:
    """A number format, and why it was chosen."""
    return tr("Computes in {0}: {1}").format(name, reason)


def moment(when: float) -> str:
    """A date and time in short form."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(when))


def count(whole: int) -> str:
    """An integer with thousands separators."""
    return number(whole, ",").replace(",", "\u202f")


def curve_title(name: str) -> str:
    """The title of a curve or metric."""
    titles = {
        "lower": tr("lower (reconstruction)"),
        "upper": tr("upper (fusion)"),
        "intensity": tr("intensity"),
        "gradient": tr("gradient"),
        "ssim": tr("structure"),
        "edge": tr("edges"),
        "lr_lower": tr("rate, lower"),
        "lr_upper": tr("rate, upper"),
        "reconstruction_psnr": tr("reconstruction (dB)"),
        "score": tr("score"),
    }
    return titles.get(name, name)
