"""Settings of the training data: selection, value windows and augmentation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Interval
from pydantic import BeforeValidator

from core.alignment.choice import AlignChoice
from core.errors import InputError, Message
from core.setting import Setting
from core.types import SourceSide
from core.windows import Window, Windows, check_window


def _two_numbers(value: object) -> object:
    """Validate a manual window: two numbers as a tuple of floats, or None; else ValueError."""
    if value is None:
        return None
    ends = value if isinstance(value, (list, tuple)) else ()
    numbers = [end for end in ends if isinstance(end, (int, float)) and not isinstance(end, bool)]
    try:
        if len(numbers) == len(ends) == 2:
            window = float(numbers[0]), float(numbers[1])
            check_window(window)
            return window
    except (OverflowError, InputError):
        pass
    raise ValueError(Message("must be two numbers, the lower one first"))


def _align_text(value: object) -> object:
    """Validate a way of laying sources on each other; else ValueError."""
    try:
        return AlignChoice.of_text(value).text() if isinstance(value, str) else value
    except InputError as error:
        raise ValueError(error.message) from error


ManualWindow = Annotated[Window | None, BeforeValidator(_two_numbers)]
"""(low, high) in stored values of a source; None uses the window of each image."""


@dataclass(frozen=True, kw_only=True)
class DataSettings:
    """Which pairs are used, and how crops are made from them.

    Attributes:
        exclude: file-name patterns of pairs to leave out, such as ``llvip_*``.
        align: how the sources of each pair are laid on each other, as :meth:`AlignChoice.text`
            writes it; pairs whose registration fails are left out.
        align_onto, align_crop: the other fields of :class:`core.alignment.choice.AlignChoice`.
        window_a, window_b: (low, high) of A and of B in stored values, mapped to 0 and 1 in every
            pair; None uses the window of each image.
        slice_distance: least distance in millimetres of two slices of a volume.
        swap: swap the sources at random (for tasks whose sources have no fixed roles).
        jitter: largest change of each source's gamma and gain, as a natural logarithm.
        refocus: fraction of the crops with ground truth whose sources are simulated from it by
            defocus.
        tone: chance of each source of a crop to pass through a random tone curve, as another
            palette or another MR sequence would give it.
        uptake: fraction of the crops whose A is uptake simulated from B.
        functional: file-name patterns of pairs whose A is functional (PET, SPECT).
        noise: largest standard deviation of noise added to each source, as a share of its range.
    """

    exclude: Annotated[
        tuple[str, ...],
        Setting(
            Message("Leave out"),
            Message("Name patterns of pairs to leave out, such as llvip_*."),
            "",
            Message("Pictures"),
        ),
    ] = ()
    window_a: Annotated[
        ManualWindow,
        Setting(
            Message("Window of A"),
            Message(
                "Values of A that are black and white, in its own numbers, such as 29300 30900. "
                "Empty takes what each picture gives."
            ),
            "",
            Message("Pictures"),
        ),
    ] = None
    window_b: Annotated[
        ManualWindow,
        Setting(
            Message("Window of B"),
            Message(
                "Values of B that are black and white, in its own numbers. Empty takes what each "
                "picture gives."
            ),
            "",
            Message("Pictures"),
        ),
    ] = None
    slice_distance: Annotated[
        float,
        Interval(ge=0, le=1000),
        Setting(
            Message("Distance of slices"),
            Message(
                "Of volumes, slices at least so far apart are used, since neighbours show nearly "
                "the same. 0 uses all."
            ),
            Message("mm"),
            Message("Pictures"),
            1.0,
        ),
    ] = 6.0
    swap: Annotated[
        bool,
        Setting(
            Message("Exchange sources"),
            Message("At random; for sources without fixed roles."),
            "",
            Message("Pictures"),
        ),
    ] = False
    jitter: Annotated[
        float,
        Interval(ge=0, le=2),
        Setting(
            Message("Vary brightness"),
            Message("Largest change of each source's gamma and gain."),
            Message("natural log"),
            Message("Pictures"),
            0.1,
        ),
    ] = 0.0
    refocus: Annotated[
        float,
        Interval(ge=0, le=1),
        Setting(
            Message("Simulated defocus"),
            Message("Share of the crops with truth that are blurred anew."),
            Message("share"),
            Message("Pictures"),
            0.1,
        ),
    ] = 0.0
    tone: Annotated[
        float,
        Interval(ge=0, le=1),
        Setting(
            Message("Tone curves"),
            Message("Chance of each source to be shown as another palette or sequence shows it."),
            Message("share"),
            Message("Pictures"),
            0.1,
        ),
    ] = 0.0
    uptake: Annotated[
        float,
        Interval(ge=0, le=1),
        Setting(
            Message("Simulated uptake"),
            Message("Share of the crops whose A is made up from the regions of B."),
            Message("share"),
            Message("Pictures"),
            0.1,
        ),
    ] = 0.0
    functional: Annotated[
        tuple[str, ...],
        Setting(
            Message("Functional pictures"),
            Message("Name patterns of pairs whose A shows uptake, such as pet_*."),
            "",
            Message("Pictures"),
        ),
    ] = ()
    noise: Annotated[
        float,
        Interval(ge=0, le=0.5),
        Setting(
            Message("Noise"),
            Message("Largest noise added to each source."),
            Message("share"),
            Message("Pictures"),
            0.01,
        ),
    ] = 0.0

    align: Annotated[str, BeforeValidator(_align_text)] = "none"
    align_onto: SourceSide = "a"
    align_crop: bool = False

    @property
    def align_choice(self) -> AlignChoice:
        """How the sources of each pair are laid on each other."""
        return AlignChoice.of_text(self.align, onto=self.align_onto, crop=self.align_crop)

    @property
    def windows(self) -> Windows:
        """The manual windows of A and of B."""
        return self.window_a, self.window_b
