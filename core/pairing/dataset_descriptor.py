"""Descriptors of data sets: how the folder of a benchmark is laid out, read from TOML files."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.errors import InputError, Message
from core.tasks import get_task
from resources import DATASETS

_PLACEHOLDER = re.compile(r"(\{\w+\}|\*)")
_NAME = re.compile(r"\{(\w+)\}")
Text = Annotated[str, Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class DatasetLayout(_Strict):
    """Where the files of both sources are, as patterns of paths without suffix.

    ``{word}`` is any part of a file or folder name and has the same value in A and in B; ``*`` is
    any part that may differ; ``{split}`` is one of the folders of a split. Capitals do not count.
    """

    a: Text
    b: Text
    distinctive: bool = False
    """Whether the names of the folders alone tell that it is this data set."""

    @model_validator(mode="after")
    def _check_placeholders(self) -> DatasetLayout:
        one, other = set(_NAME.findall(self.a)), set(_NAME.findall(self.b))
        if not one or one != other:
            raise ValueError("a and b must have the same words in braces, at least one")
        return self


class LabelFiles(_Strict):
    """Labels of the images of a data set, one file per image with the name of source A.

    Attributes:
        folders: where they are below the folder of the data set; the first that is there counts.
            ``{split}`` is a folder of the split.
        classes: names of the classes, in the order of their numbers.
    """

    folders: Annotated[list[Text], Field(min_length=1)]
    classes: Annotated[list[Text], Field(min_length=1)]


class MaskFiles(LabelFiles):
    """Masks whose values are the numbers of the classes, from 0; ``ignore`` counts nowhere."""

    ignore: int = 255


class DatasetDescriptor(_Strict):
    """A data set of image pairs.

    Attributes:
        name: lower-case name on the command line.
        title: name in texts.
        task: the fusion task.
        reference: where the data can be had.
        layouts: known layouts; the first in which a pair is found is used.
        aliases: words in the names of folders that tell that it is this data set.
        splits: folders of each split.
        groups: groups for reports, each with patterns of ``fnmatch`` for the path of source A
            relative to the folder, without suffix.
        metrics: the metrics with which results on it are published.
        boxes: boxes of objects (YOLO or Pascal VOC files), if it has any.
        masks: masks of classes, if it has any.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    title: Text
    task: str
    reference: str = ""
    layouts: Annotated[list[DatasetLayout], Field(min_length=1)]
    aliases: list[Text] = []
    splits: dict[Text, Annotated[list[Text], Field(min_length=1)]] = {}
    groups: dict[Text, list[Text]] = {}
    metrics: list[str] = []
    boxes: LabelFiles | None = None
    masks: MaskFiles | None = None

    @model_validator(mode="after")
    def _check_splits(self) -> DatasetDescriptor:
        if not self.splits and any("{split}" in layout.a for layout in self.layouts):
            raise ValueError("a layout has {split}, but there are no splits")
        return self

    def folders_of(self, split: str) -> list[str]:
        """The folders of ``split``; "" is the test split, or all without one; ``all`` is all.

        Raises:
            InputError: there is no such split.
        """
        every = [folder for folders in self.splits.values() for folder in folders]
        if split == "all" or (not split and "test" not in self.splits):
            return every
        if (split or "test") in self.splits:
            return self.splits[split or "test"]
        known = ", ".join([*self.splits, "all"])
        raise InputError(
            Message("Split “{0}” of {1}", split, self.title),
            Message("there is no such split"),
            Message("Choose one of: {0}.", known),
        )


def expression(pattern: str, folders: Sequence[str]) -> re.Pattern[str]:
    """The regular expression of a pattern of :class:`DatasetLayout`."""
    seen: set[str] = set()
    parts = []
    for part in _PLACEHOLDER.split(pattern):
        word = part[1:-1] if part.startswith("{") else ""
        if part == "*":
            parts.append("[^/]*")
        elif not word:
            parts.append(re.escape(part))
        elif word in seen:
            parts.append(f"(?P={word})")
        else:
            seen.add(word)
            values = "|".join(map(re.escape, folders)) if word == "split" else "[^/]+?"
            parts.append(f"(?P<{word}>{values})")
    return re.compile("".join(parts), re.IGNORECASE)


def read_descriptor(path: Path) -> DatasetDescriptor:
    """The descriptor in a TOML file.

    Raises:
        InputError: it cannot be read, or a key is unknown, missing or has a wrong value; the
            message names the file and the key.
    """
    try:
        with path.open("rb") as stream:
            raw = tomllib.load(stream)
        descriptor = DatasetDescriptor.model_validate(raw)
    except ValidationError as error:
        item = error.errors()[0]
        key = ".".join(str(part) for part in item["loc"])
        reasons = {
            "extra_forbidden": Message("is no key of a data set's descriptor"),
            "missing": Message("is missing"),
        }
        why = reasons.get(item["type"], Message.plain(item["msg"]))
        raise InputError(
            Message("{0}: {1}", path, key) if key else str(path),
            why,
            Message("Keys: {0}.", ", ".join(DatasetDescriptor.model_fields)),
        ) from error
    except (OSError, ValueError) as error:
        raise InputError(str(path), str(error), Message("Give a TOML file.")) from error
    try:
        get_task(descriptor.task)
    except InputError as error:
        raise InputError(Message("{0}: {1}", path, "task"), error.what, error.remedy) from error
    return descriptor


def descriptors(folders: Iterable[Path] = ()) -> tuple[DatasetDescriptor, ...]:
    """The built-in descriptors and those in ``folders``, which replace built-in ones by name.

    Raises:
        InputError: a file is not a valid descriptor.
    """
    found: dict[str, DatasetDescriptor] = {}
    for folder in (DATASETS, *folders):
        for path in sorted(folder.glob("*.toml")):
            descriptor = read_descriptor(path)
            found[descriptor.name] = descriptor
    return tuple(sorted(found.values(), key=lambda item: (item.task, item.name)))


def get_descriptor(name: str, folders: Iterable[Path] = ()) -> DatasetDescriptor:
    """The descriptor called ``name``, or in the TOML file ``name``.

    Raises:
        InputError: there is none, or it is invalid.
    """
    if name.lower().endswith(".toml"):
        return read_descriptor(Path(name))
    every = {descriptor.name: descriptor for descriptor in descriptors(folders)}
    if name.lower() in every:
        return every[name.lower()]
    raise InputError(
        Message("Unknown data set “{0}”", name),
        remedy=Message("Choose one of: {0}; or give a TOML file.", ", ".join(every)),
    )
