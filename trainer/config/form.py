"""Every setting of a run as a form shows it, read off the configuration, and what is wrong."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, is_dataclass, replace
from typing import Any, Literal, cast, get_args, get_origin, get_type_hints

from annotated_types import Ge, GroupedMetadata, Gt, Le, Lt
from pydantic import ValidationError

from core.setting import Setting
from core.windows import Window
from trainer.config.config import TrainConfig, train_adapter
from trainer.config.validation_messages import place_of, validation_message

FieldKind = Literal["int", "float", "bool", "choice", "text", "file", "window"]


@dataclass(frozen=True)
class Field:
    """One setting.

    Attributes:
        name: dotted, as in a settings file: ``losses.intensity``.
        title, help: for people. unit: of the value, or "".
        kind: what sort of control. ``text`` of ``exclude`` is a list, split at commas;
            a ``window`` is two numbers, or None.
        minimum, maximum: of numbers, None when open. step: of a spin box, 0 to leave it.
        choices: values of a ``choice``. group: heading to stand under.
        above, below: the value must lie above ``minimum``, below ``maximum``, not on it.
    """

    name: str
    title: str
    _: KW_ONLY
    help: str
    unit: str = ""
    kind: FieldKind = "float"
    minimum: float | None = None
    maximum: float | None = None
    step: float = 0.0
    choices: tuple[str, ...] = ()
    group: str = ""
    above: bool = False
    below: bool = False

    def holds(self, value: float) -> bool:
        """Whether a number lies within the limits."""
        low = -math.inf if self.minimum is None else self.minimum
        high = math.inf if self.maximum is None else self.maximum
        over = value > low if self.above else value >= low
        return math.isfinite(value) and over and (value < high if self.below else value <= high)


_GROUPS = (
    "Length",
    "Learning",
    "Objectives",
    "Pictures",
    "Ablations",
    "Network",
    "Watching",
)
"""Headings, in the order of a form."""


def _fields_of(owner: type, within: str = "") -> Iterator[Field]:
    """The settings of a configuration class and of those inside it, in order."""
    for name, hint in get_type_hints(owner, include_extras=True).items():
        inner = next((part for part in (hint, *get_args(hint)) if is_dataclass(part)), None)
        if isinstance(inner, type):
            yield from _fields_of(inner, f"{within}{name}.")
            continue
        notes = getattr(hint, "__metadata__", ())
        words = next((note for note in notes if isinstance(note, Setting)), None)
        if words is not None:
            yield _field(within + name, hint.__origin__, words, notes)


def _field(name: str, kind: Any, words: Setting, notes: Sequence[object]) -> Field:
    limits = {type(limit): limit for limit in _single(notes)}
    low = limits.get(Ge) or limits.get(Gt)
    high = limits.get(Le) or limits.get(Lt)
    return Field(
        name,
        words.title,
        help=words.help,
        unit=words.unit,
        kind=_kind(kind, words),
        minimum=getattr(low, "ge", getattr(low, "gt", None)),
        maximum=getattr(high, "le", getattr(high, "lt", None)),
        step=words.step,
        choices=tuple(str(one) for one in get_args(kind)) if get_origin(kind) is Literal else (),
        group=words.group,
        above=Gt in limits,
        below=Lt in limits,
    )


def _single(notes: Sequence[object]) -> Iterator[object]:
    for note in notes:
        yield from note if isinstance(note, GroupedMetadata) else (note,)


def _kind(kind: Any, words: Setting) -> FieldKind:
    if get_origin(kind) is Literal:
        return "choice"
    plain: dict[object, FieldKind] = {
        int: "int",
        float: "float",
        bool: "bool",
        Window | None: "window",
    }
    return plain.get(kind, "file" if words.file else "text")


FIELDS: tuple[Field, ...] = tuple(
    sorted(
        _fields_of(TrainConfig),
        # A network's own settings come before those of what it sees with.
        key=lambda f: (_GROUPS.index(f.group), f.name.startswith("network.backbone.")),
    )
)
"""All settings but the task, which is chosen before; ``losses.source`` is only a remark."""


def field_of(name: str) -> Field:
    """The setting of that dotted name; KeyError where there is none."""
    return _BY_NAME[name]


_BY_NAME = {field.name: field for field in FIELDS}


def values_of(config: TrainConfig) -> dict[str, Any]:
    """The settings as a form edits them: nested plain data, the task's own losses spelt out."""
    full = replace(config, losses=config.loss_weights)
    return cast(dict[str, Any], train_adapter.dump_python(full, mode="json"))


def validate(values: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with settings, by the dotted name of the field; {} when all is well.

    Args:
        values: nested as :func:`values_of` gives them.
    """
    try:
        train_adapter.validate_python(dict(values))
    except ValidationError as error:
        found: dict[str, str] = {}
        for item in error.errors():
            found.setdefault(place_of(item) or "settings", validation_message(item))
        return found
    return {}
