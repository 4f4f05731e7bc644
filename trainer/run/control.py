"""Wishes of the person watching a run. Thread-safe: asked for on one thread, heeded on another."""

from __future__ import annotations

import threading
from collections.abc import Callable

from core.errors import InputError, Message
from trainer.config.form import field_of

_BEAT = 0.05
"""Seconds between two looks at whether a waiting run was cancelled."""


class RunControl:
    """Pause, resume, stop, other learning rates, a smaller batch.

    The run heeds a wish at its next clean point, which is after the step under way.
    """

    def __init__(self, answers: bool = True) -> None:
        """Args: ``answers``: somebody is there to answer; else a question ends the run."""
        self.answers = answers
        self._changed = threading.Condition(threading.RLock())
        self._pause = False
        self._stop = False
        self._smaller = False
        self._rates: tuple[float, float] | None = None
        self.alternating = True
        """Set by the run: whether the lower level must stay faster than the upper one."""

    @property
    def paused(self) -> bool:
        """Whether a pause was asked for and not ended yet."""
        with self._changed:
            return self._pause

    @property
    def stopping(self) -> bool:
        """Whether the run was asked to end and keep what it has."""
        with self._changed:
            return self._stop

    @property
    def smaller_allowed(self) -> bool:
        """Whether a smaller batch was allowed, and not used yet."""
        with self._changed:
            return self._smaller

    def pause(self) -> None:
        """Wait after the step under way."""
        self._set(_pause=True)

    def resume(self) -> None:
        """End the pause."""
        self._set(_pause=False)

    def stop(self) -> None:
        """End the run and keep the best state (the last one without validation) as a pack."""
        self._set(_stop=True)

    def allow_smaller_batch(self) -> None:
        """Answer :class:`trainer.events.MemoryRanOut`, or allow it beforehand: halve the batch."""
        self._set(_smaller=True)

    def set_rates(self, lower: float, upper: float) -> None:
        """Learning rates of the next step, η_L and η_U; the schedule decays from there on.

        Raises:
            InputError: the run is not paused, or a rate cannot be.
        """
        for name, rate in (("lr_lower", lower), ("lr_upper", upper)):
            field = field_of(name)
            if not field.holds(rate):
                raise InputError(
                    Message("Learning rates"),
                    Message(
                        "they must be numbers above {0} and at most {1}",
                        field.minimum,
                        field.maximum,
                    ),
                )
        if self.alternating and lower <= upper:
            raise InputError(
                Message("Learning rates"),
                Message("the lower level must learn faster than the upper one"),
                Message("Give the lower level the larger rate."),
            )
        with self._changed:
            if not self._pause:
                raise InputError(
                    Message("Learning rates"),
                    Message("they can be changed while the run is paused"),
                    Message("Pause first."),
                )
            self._rates = (lower, upper)
            self._changed.notify_all()

    def take_rates(self) -> tuple[float, float] | None:
        """For the run: rates asked for since the last call, or None."""
        with self._changed:
            rates, self._rates = self._rates, None
            return rates

    def take_smaller(self) -> bool:
        """For the run: whether a smaller batch was allowed; the permission is used up."""
        with self._changed:
            allowed, self._smaller = self._smaller, False
            return allowed

    def wait_for_news(self, seen: Callable[[], bool]) -> None:
        """For the run: return at once when ``seen`` is true, else after a wish or a moment."""
        with self._changed:
            if not seen():
                self._changed.wait(_BEAT)

    @property
    def has_rates(self) -> bool:
        """Whether rates were asked for that the run has not taken yet."""
        with self._changed:
            return self._rates is not None

    def _set(self, **wishes: bool) -> None:
        with self._changed:
            for name, value in wishes.items():
                setattr(self, name, value)
            self._changed.notify_all()
