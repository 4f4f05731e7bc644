"""What people read of a setting. It stands on the field itself, beside its limits::

    steps: Annotated[int, Interval(ge=1, le=100), Setting("Steps", "How long to train.")] = 10

:mod:`trainer.config.form` makes forms, limits of controls and messages from that alone.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

from core.messages import Message


@dataclass(frozen=True)
class Setting:
    """Words for one field of a configuration.

    Attributes:
        title, help: for people. unit: of the value, or "". group: heading to stand under.
        step: what one press of a spin box's arrow adds; 0 leaves it.
        file: a text that names a file.
    """

    title: str
    help: str
    unit: str = ""
    group: str = ""
    step: float = 0.0
    _: KW_ONLY
    file: bool = False


class Misfit(ValueError):
    """A setting clashes with another one of its configuration.

    ``field``: its name there, beside which the message belongs.
    """

    def __init__(self, field: str, text: Message) -> None:
        super().__init__(text)
        self.field = field
