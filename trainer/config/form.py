"""The settings of a run as the fields of a form, derived from :class:`TrainConfig`."""

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
        name: dotted path, as in a settings file: ``losses.intensity``.
        title, help: texts for the user.
        unit: unit of the value, or "".
        kind: type of the control. ``text`` for ``exclude`` is a comma-separated list; a ``window``
            is two numbers or None.
        minimum, maximum: limits of a number; None means unbounded.
        step: increment of a spin box; 0 keeps the default.
        choices: values of a ``choice``.
        group: heading of the section that shows the field.
        above, below: the minimum or the maximum is exclusive.
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
        """Whether ``value`` is finite and within the limits."""
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
"""Section headings, in the order of the form."""


def _fields_of(owner: type, within: str = "") -> Iterator[Field]:
    """The fields of a configuration dataclass and of the dataclasses nested in it, in order."""
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
        # Settings of the network itself precede those of its backbone.
        key=lambda f: (_GROUPS.index(f.group), f.name.startswith("network.backbone.")),
    )
)
"""All settings except the task, which is chosen beforehand; ``losses.source`` is informative."""


def field_of(name: str) -> Field:
    """The field with the dotted path ``name``; KeyError if there is none."""
    return _BY_NAME[name]


_BY_NAME = {field.name: field for field in FIELDS}


def values_of(config: TrainConfig) -> dict[str, Any]:
    """The settings as nested plain data for a form, with the default losses made explicit."""
    full = replace(config, losses=config.loss_weights)
    return cast(dict[str, Any], train_adapter.dump_python(full, mode="json"))


def validate(values: Mapping[str, Any]) -> dict[str, str]:
    """Validation messages by the dotted path of the field; {} if the settings are valid.

    Args:
        values: nested as returned by :func:`values_of`.
    """
    try:
        train_adapter.validate_python(dict(values))
    except ValidationError as error:
        found: dict[str, str] = {}
        for item in error.errors():
            found.setdefault(place_of(item) or "settings", validation_message(item))
        return found
    return {}
