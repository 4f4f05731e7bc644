"""Pairs the files of a data set by its descriptor, with the result of all pairing."""

from __future__ import annotations

import fnmatch
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from core.errors import InputError, Message
from core.pairing.collector import Collected
from core.pairing.dataset_descriptor import (
    DatasetDescriptor,
    DatasetLayout,
    LabelFiles,
    expression,
)
from core.pairing.folder_scan import Scanner
from core.pairing.folder_tree import Places
from core.pairing.plan import Match, PairingPlan
from core.pairing.source_words import normal

_SURE = 3.0
Key = tuple[tuple[str, str], ...]


@dataclass
class _Sides:
    """Files of A and B by the values of the words in their patterns."""

    a: dict[Key, list[Path]] = field(default_factory=lambda: defaultdict(list))
    b: dict[Key, list[Path]] = field(default_factory=lambda: defaultdict(list))
    words: dict[Key, dict[str, str]] = field(default_factory=dict)
    others: int = 0

    @property
    def keys(self) -> list[Key]:
        """Keys of pairs."""
        return [key for key in self.a if key in self.b]


def dataset_pairs(
    descriptor: DatasetDescriptor, folder: Path, split: str = "", skip: Sequence[Path] = ()
) -> PairingPlan:
    """The pairs of a data set in ``folder``.

    Args:
        descriptor: how it is laid out.
        folder: the folder of the data set.
        split: a name of ``descriptor.splits`` or ``all``; "" is the test split, where there is one.
        skip: folders to skip, such as the output folder.

    Raises:
        InputError: there is no such folder or split, or no pair is where the descriptor says.
    """
    if not folder.is_dir():
        raise InputError(
            str(folder), Message("there is no such folder"), Message("Check the name.")
        )
    folders = descriptor.folders_of(split)
    scanner = Scanner(skip)
    files = _files(scanner, folder)
    sides = [_sides(files, folder, layout, folders) for layout in descriptor.layouts]
    fitting = next((found for found in sides if found.keys), None)
    if fitting is None:
        raise _no_pair(descriptor, folder, sides)
    layout = descriptor.layouts[sides.index(fitting)]
    if split not in ("", "all") and "{split}" not in layout.a:
        raise InputError(
            str(folder),
            Message("its pairs are not in folders of splits, so “{0}” cannot be told apart", split),
            Message("Leave out the split, or choose the folder above the splits."),
        )
    plan = _plan(descriptor, fitting)
    notes = [*scanner.notes(), *plan.notes]
    if fitting.others:
        notes.append(
            Message.plural(
                "{0} picture is in no folder of {1}: passed over.",
                "{0} pictures are in no folder of {1}: passed over.",
                fitting.others,
                descriptor.title,
            )
        )
    return replace(plan, notes=tuple(notes), suggested_task=descriptor.task)


def find_dataset(
    folder: Path, descriptors: Iterable[DatasetDescriptor]
) -> DatasetDescriptor | None:
    """The data set in ``folder``, or None: its name or its layout tells, and a pair is found."""
    if not folder.is_dir():
        return None
    files = _files(Scanner(), folder)
    words = {word for word in re.split(r"[\W_]+", normal(folder.resolve().name).casefold()) if word}
    for descriptor in descriptors:
        named = bool(words & {descriptor.name, *map(str.casefold, descriptor.aliases)})
        folders = descriptor.folders_of("all")
        for layout in descriptor.layouts:
            if (named or layout.distinctive) and _sides(files, folder, layout, folders).keys:
                return descriptor
    return None


def group_of(descriptor: DatasetDescriptor, match: Match, folder: Path) -> str:
    """The group of a pair of the data set in ``folder``, for reports; "" if it is in none."""
    path = match.a.relative_to(folder).with_suffix("").as_posix()
    for group, patterns in descriptor.groups.items():
        if any(fnmatch.fnmatch(path, pattern) for pattern in patterns):
            return group
    return ""


def label_folder(
    descriptor: DatasetDescriptor, labels: LabelFiles, folder: Path, split: str = ""
) -> Path:
    """Where the ``labels`` of a split of the data set in ``folder`` are.

    Raises:
        InputError: there is no such split, or its labels are in no folder or in several.
    """
    splits = descriptor.folders_of(split)
    for pattern in labels.folders:
        names = dict.fromkeys(pattern.replace("{split}", part) for part in splits or [""])
        found = [folder / name for name in names if (folder / name).is_dir()]
        if len(found) > 1:
            raise InputError(
                str(folder),
                Message("the labels of this split are in several folders"),
                Message("Choose one of: {0}.", ", ".join(descriptor.splits)),
            )
        if found:
            return found[0]
    raise InputError(
        str(folder),
        Message("the labels of {0} are not there", descriptor.title),
        Message("They are in: {0}.", ", ".join(labels.folders)),
    )


def layout_in_words(layout: DatasetLayout) -> Message:
    """The two patterns of a layout, for lists and errors."""
    return Message("{0} and {1}", layout.a, layout.b)


def _files(scanner: Scanner, folder: Path) -> list[Path]:
    node = scanner.scan(folder, given=True)
    return [path for _, path in node.below()] if node else []


def _sides(
    files: Sequence[Path], folder: Path, layout: DatasetLayout, folders: Sequence[str]
) -> _Sides:
    found = _Sides()
    patterns = (expression(layout.a, folders), found.a), (expression(layout.b, folders), found.b)
    for path in files:
        inside = normal(path.relative_to(folder).with_suffix("").as_posix())
        for pattern, side in patterns:
            if hit := pattern.fullmatch(inside):
                words = hit.groupdict()
                key = tuple(sorted((word, value.casefold()) for word, value in words.items()))
                side[key].append(path)
                found.words.setdefault(key, words)
                break
        else:
            found.others += 1
    return found


def _plan(descriptor: DatasetDescriptor, sides: _Sides) -> PairingPlan:
    found = Collected(descriptor.task, Places())
    reason = Message("laid out as {0}", descriptor.title)
    for key, words in sides.words.items():
        a, b = sides.a.get(key, []), sides.b.get(key, [])
        if len(a) == len(b) == 1:
            folder = Path(*(value for word, value in words.items() if word != "name"))
            name = words.get("name") or folder.name
            folder = folder if "name" in words else folder.parent
            found.matches.append((Match(name, a[0], b[0], reason, folder), _SURE))
            continue
        for path in (*a, *b):
            if a and b:
                listed = ", ".join(other.name for other in (*a, *b) if other != path)
                why = Message("several files have its name: {0}", listed)
                found.add_leftover(path, why, "ambiguous")
            else:
                side = "B" if a else "A"
                found.add_leftover(
                    path, Message("{0} has no source {1} for it", descriptor.title, side)
                )
    return found.plan()


def _no_pair(descriptor: DatasetDescriptor, folder: Path, sides: Sequence[_Sides]) -> InputError:
    expected = "; ".join(layout_in_words(layout) for layout in descriptor.layouts)
    why = Message("it is not laid out as {0}", descriptor.title)
    for layout, found in zip(descriptor.layouts, sides, strict=True):
        if found.a or found.b:
            lacking = layout.b if found.a else layout.a
            why = Message("{0}: no file is at {1}", descriptor.title, lacking)
            if found.a and found.b:
                why = Message("{0}: no file of A has the name of one of B", descriptor.title)
            break
    return InputError(
        str(folder),
        why,
        Message("Expected: {0}. Or choose no data set, to pair by names.", expected),
    )
