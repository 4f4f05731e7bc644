"""Texts of a setting, declared in the annotation of its field together with its limits::

    steps: Annotated[int, Interval(ge=1, le=100), Setting("Steps", "How long to train.")] = 10

:mod:`trainer.config.form` derives forms, limits of controls and messages from it.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

from core.messages import Message


@dataclass(frozen=True)
class Setting:
    """Texts and presentation of one field of a configuration.

    Attributes:
        title, help: texts for the user.
        unit: unit of the value, or "".
        group: heading of the section that shows the field.
        step: increment of a spin box; 0 keeps the default.
        file: the text is the path of a file.
    """

    title: str
    help: str
    unit: str = ""
    group: str = ""
    step: float = 0.0
    _: KW_ONLY
    file: bool = False


class Misfit(ValueError):
    """A setting conflicts with another setting of its configuration.

    ``field``: name of the field that should show the message.
    """

    def __init__(self, field: str, text: Message) -> None:
        super().__init__(text)
        self.field = field
