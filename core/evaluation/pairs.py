"""The pairs of an evaluation: those of a folder, or the finished rows of a batch."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from core.batch.manifest import MANIFEST_NAME, BatchManifest
from core.batch.plan import OWN_FOLDERS
from core.batch.report import REGISTRATION_NAME
from core.errors import InputError, Message
from core.evaluation.result import PairDescription
from core.io.reader import is_image
from core.io.readers.decoding import file_error
from core.pairing.dataset_descriptor import DatasetDescriptor
from core.pairing.datasets import dataset_pairs, group_of
from core.pairing.folders import pair_folders
from core.pairing.known_folders import truth_of
from core.pairing.plan import Match


@dataclass(frozen=True)
class EvaluationPairs:
    """Pairs, and what was left out of them.

    Attributes:
        pairs: in order of name.
        problems: ambiguous files and pairs that cannot be scored, one sentence each.
        results: of a batch, its fused images by name of the pair; else empty.
        method: of a batch, the name of what fused them.
    """

    pairs: tuple[PairDescription, ...]
    problems: tuple[str, ...] = ()
    results: Mapping[str, Path] | None = None
    method: str = ""


def find_evaluation_pairs(
    sources: Path,
    task: str = "",
    skip: Sequence[Path] = (),
    *,
    dataset: DatasetDescriptor | None = None,
    split: str = "",
) -> EvaluationPairs:
    """The pairs in ``sources``.

    Args:
        sources: a folder of pairs, or the output folder of a batch.
        task: decides first which source is A.
        skip: folders in ``sources`` that hold no sources, such as those of results.
        dataset: the layout of ``sources``; None to recognise it by names.
        split: part of the data set; "" for its test part, or all of it if there is none.

    Raises:
        InputError: there is no such folder, or no pair in it; the record of the batch cannot be
            read. OutputError: the batch is running.
    """
    if (sources / MANIFEST_NAME).is_file():
        return _batch_pairs(sources)
    if dataset is None:
        plan = pair_folders(sources, task or None, tuple(skip))
    else:
        plan = dataset_pairs(dataset, sources, split, tuple(skip))
    problems = [Message("{0}: {1}", item.path.name, item.reason) for item in plan.ambiguous]
    names = Counter(name_of(match) for match in plan.matches)
    pairs: list[PairDescription] = []
    for match in plan.matches:
        name = name_of(match)
        if match.study is not None:
            problems.append(Message("{0}: volumes are fused slice by slice, not scored.", name))
        elif names[name] > 1:
            problems.append(Message("{0}: several pairs have this name.", name))
        else:
            group = "" if dataset is None else group_of(dataset, match, sources)
            pairs.append(
                PairDescription(name, match.a, match.b, truth=truth_of(match), group=group)
            )
    if not pairs:
        raise InputError(
            str(sources),
            Message("none of its pairs can be scored"),
            Message("Choose a folder of pictures in pairs."),
        )
    return EvaluationPairs(tuple(pairs), tuple(problems))


def name_of(match: Match) -> str:
    """Name of a pair in tables, with its folder."""
    return (match.folder / match.name).as_posix()


def _batch_pairs(folder: Path) -> EvaluationPairs:
    with closing(BatchManifest(folder)) as manifest:
        records = [record for record in manifest.records().values() if record.state == "done"]
        settings = manifest.settings()
    results = {
        record.target.with_suffix("").as_posix(): folder / record.target
        for record in records
        if record.study is None and (folder / record.target).is_file()
    }
    pairs = tuple(
        PairDescription(
            name,
            record.a,
            record.b,
            truth=truth_of(Match(record.a.stem, record.a, record.b, "")),
            transform=record.transform,
        )
        for record in sorted(records, key=lambda record: record.target)
        if (name := record.target.with_suffix("").as_posix()) in results
    )
    if not pairs:
        raise InputError(
            str(folder),
            Message("this batch has no finished picture"),
            Message("Finish the batch, or choose the folder of its sources."),
        )
    return EvaluationPairs(pairs, (), results, settings.get("method", "") or folder.name)


def aligned_notes(sources: Path, folders: Sequence[Path]) -> tuple[str, ...]:
    """A sentence for each of ``folders`` whose results were fused from sources that were aligned.

    Against the sources as they are in ``sources`` their scores mean little.
    """
    return tuple(
        Message(
            "{0} holds results of aligned sources, which are scored here against the sources as "
            "they were before. Give the batch itself as the sources: --sources “{0}”.",
            folder,
        )
        for folder in folders
        if (folder / REGISTRATION_NAME).is_file() and folder.resolve() != sources.resolve()
    )


def images_below(folder: Path) -> tuple[dict[str, Path], tuple[str, ...]]:
    """Images in and below ``folder`` by path without suffix, and problems of ambiguous ones.

    Previews, figures and reconstructions of a batch are left out.

    Raises:
        InputError: there is no such folder, or it cannot be read.
    """
    if not folder.is_dir():
        raise InputError(
            str(folder), Message("there is no such folder"), Message("Check the name.")
        )
    found: dict[str, list[Path]] = {}
    try:
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder)
            hidden = inside.parts[0] in OWN_FOLDERS or any(p.startswith(".") for p in inside.parts)
            if not hidden and path.is_file() and is_image(path):
                name = unicodedata.normalize("NFC", inside.with_suffix("").as_posix())
                found.setdefault(name, []).append(path)
    except OSError as error:
        raise file_error(folder, error) from error
    problems = tuple(
        Message(
            "{0} has several files called “{1}”: {2}.",
            folder,
            name,
            ", ".join(path.name for path in paths),
        )
        for name, paths in found.items()
        if len(paths) > 1
    )
    return {name: paths[0] for name, paths in found.items() if len(paths) == 1}, problems


def result_keys(pairs: Sequence[PairDescription]) -> dict[str, list[str]]:
    """For each pair, the names its result may have without suffix, in order of preference.

    A result is named like the pair or one of its sources, in the same subfolder; or in no
    subfolder, if the name is unique among all pairs.
    """
    plain = Counter(name for pair in pairs for name in _own_names(pair))
    keys: dict[str, list[str]] = {}
    for pair in pairs:
        names = _own_names(pair)
        folder = Path(pair.name).parent
        inside = [(folder / name).as_posix() for name in names]
        inside += [name for name in names if plain[name] == 1]
        keys[pair.name] = [unicodedata.normalize("NFC", key) for key in dict.fromkeys(inside)]
    return keys


def _own_names(pair: PairDescription) -> list[str]:
    return list(dict.fromkeys((Path(pair.name).name, pair.a.stem, pair.b.stem)))
