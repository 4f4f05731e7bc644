"""Options of a run: the settings of its results, where they go, and limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.alignment.aligning import check_choice
from core.baselines import BASELINES
from core.batch.naming import split_template
from core.batch.settings import ALIGN, AS_SOURCES, FLAGS, VOLUMES, WINDOWS, BatchSettings
from core.errors import InputError, Message
from core.io.atomic import output_error
from core.io.dicom_output.choices import LAYOUTS, NOTICE_PLACES, DicomChoices
from core.io.writer import WRITE_SUFFIXES
from core.tasks import get_task
from core.units.palettes import PALETTES
from core.units.suv import SUV_UNITS
from core.windows import check_window, window_text


@dataclass(frozen=True, kw_only=True)
class BatchOptions(BatchSettings):
    """Options of a run: the settings of its results, the output folder, and limits.

    Attributes:
        out: folder for results and the manifest; made if missing.
        resume: resume the run recorded in ``out``, if any; failed rows are retried.
        retry_crashed: also retry rows at which the program crashed.
        workers: 1 to 64; pairs that are read, and pairs that are written, while one is fused.
        in_flight: the most pairs in progress at once; 0 for two per worker and one more.
        memory: approximate bytes of decoded images at once, and as many again for the networks of
            small ones; one pair is always admitted.
    """

    out: Path
    resume: bool = False
    retry_crashed: bool = False
    workers: int = 2
    in_flight: int = 0
    memory: int = 2 * 2**30

    @property
    def suffix(self) -> str:
        """Suffix of results, with the dot."""
        of_template = split_template(self.template)[1]
        return f".{self.format.lower().lstrip('.')}" if self.format else of_template or ".png"

    @property
    def most_in_flight(self) -> int:
        """The most pairs in progress at once."""
        return self.in_flight or 2 * self.workers + 1

    @property
    def by_network(self) -> bool:
        """Whether a network fuses, not a classical method."""
        return self.method not in BASELINES

    @property
    def dicom_choices(self) -> DicomChoices:
        """How DICOM is written, and whether the identity of patients goes into it."""
        return DicomChoices(
            layout=self.dicom or "multi",
            notice=self.notice,
            keep_identity=self.keep_identity,
            replace_uids=self.replace_uids,
        )

    def settings(self) -> dict[str, str]:
        """Settings that affect results, as they are recorded and compared when a run is resumed."""
        body, _ = split_template(self.template)
        return {
            "task": self.task,
            "method": self.method,
            "template": body,
            "format": self.suffix,
            "depth": str(self.depth or AS_SOURCES),
            **{key: yes_or_no(getattr(self, flag)) for flag, key in FLAGS.items()},
            **{
                key: window_text(getattr(self, name))
                for name, key in WINDOWS.items()
                if getattr(self, name) is not None
            },
            **self._chosen(VOLUMES),
            **self._chosen(ALIGN),
        }

    def _chosen(self, names: Mapping[str, str]) -> dict[str, str]:
        """Those of some settings that are not the usual ones."""
        chosen = {key: getattr(self, name) for name, key in names.items()}
        usual = {key: getattr(BatchSettings, name) for name, key in names.items()}
        return {
            key: yes_or_no(value) if isinstance(value, bool) else str(value)
            for key, value in chosen.items()
            if value != usual[key]
        }

    def check(self) -> None:
        """Check all options.

        Raises:
            InputError: one is unknown or out of range, or two contradict each other.
        """
        get_task(self.task)
        for window in self.windows:
            check_window(window)
        self._check_volumes()
        check_choice(self.align_choice)
        _, of_template = split_template(self.template)
        if self.suffix not in WRITE_SUFFIXES:
            known = ", ".join(suffix[1:] for suffix in WRITE_SUFFIXES)
            raise InputError(
                Message("Unknown format “{0}”", self.format),
                remedy=Message("Choose one of: {0}.", known),
            )
        if self.format and of_template and of_template != self.suffix:
            raise InputError(
                Message("Name template “{0}”", self.template),
                Message("its suffix is not the format {0}", self.format),
                Message("Leave out one of the two."),
            )
        most = 32 if self.suffix in (".tif", ".tiff") else 16 if self.suffix == ".png" else 8
        if self.depth not in (None, 8, 16, 32) or (self.depth or 8) > most:
            raise InputError(
                Message("{0} bits", self.depth),
                Message("{0} holds at most {1} bits", self.suffix[1:].upper(), most),
                Message("Choose 8, 16 or 32 bits and a format that holds them; TIFF holds all."),
            )
        if not 1 <= self.workers <= 64 or self.in_flight < 0 or self.memory < 1:
            raise InputError(
                Message("{0} workers", self.workers), remedy=Message("Choose 1 to 64.")
            )
        try:
            is_file = self.out.exists() and not self.out.is_dir()
        except OSError as error:
            raise output_error(self.out, error) from error
        if is_file:
            raise InputError(
                str(self.out), Message("it is a file"), Message("Choose a folder for the results.")
            )

    def _check_volumes(self) -> None:
        for value, known in (
            (self.palette_a, PALETTES),
            (self.suv, SUV_UNITS),
            (self.dicom or None, LAYOUTS),
            (self.notice, NOTICE_PLACES),
        ):
            if value is not None and value not in known:
                raise InputError(
                    Message("There is nothing called “{0}”", value),
                    remedy=Message("Choose one of: {0}.", ", ".join(known)),
                )
        if self.slices and self.dicom:
            raise InputError(
                Message("Slices and DICOM"),
                Message("results of volumes are written in one form"),
                Message("Choose one of the two."),
            )


def yes_or_no(value: bool) -> str:
    """A setting that is on or off, as it is recorded."""
    return "yes" if value else "no"
