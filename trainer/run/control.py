"""Thread-safe control of a run: requests are made on one thread and obeyed on another."""

from __future__ import annotations

import threading
from collections.abc import Callable

from core.errors import InputError, Message
from trainer.config.form import field_of

_POLL_INTERVAL = 0.05
"""Seconds between two checks of whether a waiting run was cancelled."""


def check_rates(lower: float, upper: float, alternating: bool) -> None:
    """Check learning rates that a person has entered.

    Args:
        alternating: whether the lower level must stay faster than the upper one.

    Raises:
        InputError: a rate is invalid.
    """
    for name, rate in (("lr_lower", lower), ("lr_upper", upper)):
        field = field_of(name)
        if not field.holds(rate):
            raise InputError(
                Message("Learning rates"),
                Message(
                    "they must be numbers above {0} and at most {1}", field.minimum, field.maximum
                ),
                Message("Choose rates in these limits."),
            )
    if alternating and lower <= upper:
        raise InputError(
            Message("Learning rates"),
            Message("the lower level must learn faster than the upper one"),
            Message("Give the lower level the larger rate."),
        )


class RunControl:
    """Pause, resume, stop, change of learning rates, smaller batch.

    The run obeys a request after the step in progress.
    """

    def __init__(self, answers: bool = True) -> None:
        """``answers``: a user can answer questions; otherwise a question ends the run."""
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
        """Whether a pause was requested and has not ended yet."""
        with self._changed:
            return self._pause

    @property
    def stopping(self) -> bool:
        """Whether the run was asked to end and keep its result."""
        with self._changed:
            return self._stop

    @property
    def smaller_allowed(self) -> bool:
        """Whether a smaller batch was permitted and the permission has not been used yet."""
        with self._changed:
            return self._smaller

    def pause(self) -> None:
        """Pause after the step in progress."""
        self._set(_pause=True)

    def resume(self) -> None:
        """End the pause."""
        self._set(_pause=False)

    def stop(self) -> None:
        """End the run and write the best state (the last one without validation) as a pack."""
        self._set(_stop=True)

    def allow_smaller_batch(self) -> None:
        """Permit a batch of half the size, in answer to :class:`MemoryRanOut` or in advance."""
        self._set(_smaller=True)

    def set_rates(self, lower: float, upper: float) -> None:
        """Set the learning rates η_L and η_U of the next step; the schedule decays from there.

        Raises:
            InputError: the run is not paused, or a rate is invalid.
        """
        check_rates(lower, upper, self.alternating)
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
        """Called by the run: the rates requested since the last call, or None."""
        with self._changed:
            rates, self._rates = self._rates, None
            return rates

    def take_smaller(self) -> bool:
        """Called by the run: whether a smaller batch is permitted; uses up the permission."""
        with self._changed:
            allowed, self._smaller = self._smaller, False
            return allowed

    def wait_for_change(self, seen: Callable[[], bool]) -> None:
        """Called by the run: wait until ``seen`` is true, a request is made or the timeout ends."""
        with self._changed:
            if not seen():
                self._changed.wait(_POLL_INTERVAL)

    @property
    def has_rates(self) -> bool:
        """Whether rates were requested that the run has not applied yet."""
        with self._changed:
            return self._rates is not None

    def _set(self, **flags: bool) -> None:
        with self._changed:
            for name, value in flags.items():
                setattr(self, name, value)
            self._changed.notify_all()
