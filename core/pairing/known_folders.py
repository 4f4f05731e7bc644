"""Folders without sources: those of operating systems, ground truth, and results of methods."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Literal

from core.io.reader import same_stem
from core.messages import Message
from core.pairing.plan import Match
from core.pairing.source_words import normal, words_of
from core.tasks import TASKS

FolderKind = Literal["system", "truth", "results", ""]

MANIFEST_NAME = "unifusion-batch.sqlite"
"""Name of the record in the output folder of a batch."""
RUN_NAME = "run.json"
"""Name of the record in the folder of a training run."""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_SYSTEM = _set(
    """@eadir #recycle #snapshot @recycle @tmp .appledouble .@__thumb __macosx $recycle.bin
    recycler thumbs thumbnails .thumbnails .thumb lost+found .trash .trashes .spotlight-v100
    .fseventsd .picasaoriginals @recently-snapshot .snapshot"""
) | {"system volume information"}
_TRUTH = _set(
    """gt gts truth truths groundtruth groundtruths label labels annotation annotations fullclear
    allinfocus allfocus segmentation segmentations trainlabel trainlabelr vallabel vallabelr
    testlabel testlabelr segmentationlabels segmentationvisualize imglabel imgslabel"""
)
_TRUTH_BESIDE_SOURCES = _set(
    """ref refs reference references target targets mask masks clear sharp aif depth edge edges
    saliency semantic semantics annotated json xml txt"""
)
TRUTH_NAMES = ("gt", "GT", "ground_truth", "groundtruth", "GroundTruth", "truth", "full_clear")
"""Folders with ground truth against which results may be scored."""
_TRUTH_WORDS = frozenset(("gt", "groundtruth", "label", "labels", "annotation", "annotations"))
_RESULT_WORDS = _set(
    """result results fused output outputs prediction predictions ergebnis ergebnisse"""
)
_RESULTS = frozenset(("out", "outs", "fusion", "fusions", "pred", "preds", "ausgabe", "fusioniert"))
NO_SOURCES = _RESULT_WORDS | _TRUTH_WORDS | {"truth", "seg", "segmentation"}
"""Words in the names of files that are ground truth, labels or results."""
COPIES = _set("copy kopie copie copia cópia")
"""Words that file managers add to copies of a file."""
NO_SOURCES_ALONE = NO_SOURCES | COPIES | _set("mask masks depth edge edges roi")
"""The same, and words that count only if the name without the word exists (``1``, ``1_mask``)."""
_METHODS = _set(
    """ifcnn tardal reconet umfcmgr umf ydtr datfuse lrrnet ddfm emma pmgi ganmcc sdnet mfeif
    coconet segmif textif tcmoa fusiondn mefnet deepfuse gff gtf adf cbf fpde gfce hmsdgf
    hybridmsd ifevip latlrr mgff mstsr msvd nsctsr rpsr tif vsmwls dlf cnnfusion rfnnest
    nestfuse imagefusion mertens laplacian unifusion guided spdmef gfdf dsift cbfusion zmff
    mffgan gcf mmdif ifsepr"""
)
_METHOD = re.compile(r"[a-z0-9]*?(?:fuse|fusion)(?:gan|net|plus|v?\d)?\Z")
_NO_METHOD = _set(
    """image images multi focus exposure medical modal modality ir vis infrared visible data
    dataset datasets test train val pre to un"""
)


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", normal(name).casefold())


@cache
def kind_of(name: str) -> FolderKind:
    """What a folder of this name certainly holds, wherever it is; "" if unknown."""
    low = normal(name).casefold()
    if low in _SYSTEM or low.startswith("@syno") or low.startswith(".trash-"):
        return "system"
    plain, words = _plain(name), words_of(name)
    if plain in _TRUTH or words & _TRUTH_WORDS:
        return "truth"
    if plain in _RESULTS or words & _RESULT_WORDS:
        return "results"
    return ""


@cache
def kind_beside_sources(name: str) -> FolderKind:
    """As :func:`kind_of` for a folder beside two source folders, with ambiguous words."""
    words = words_of(name)
    if _plain(name) in _TRUTH_BESIDE_SOURCES or words & _TRUTH_BESIDE_SOURCES:
        return "truth"
    return "results" if is_method(name) or "fusion" in words else kind_of(name)


@cache
def is_method(name: str) -> bool:
    """Whether ``name`` is a fusion method's (``CDDFuse``, ``U2Fusion_TNO``), not a data set."""
    if _plain(name) in _METHODS:
        return True
    first = re.split(r"[\W_]+", normal(name).strip(" _-."))[0]
    generic = words_of(first) & (_NO_METHOD | {w for t in TASKS.values() for w in t.contexts})
    if generic or _plain(first) in ("fusion", "fuse"):
        return False
    return _plain(first) in _METHODS or bool(_METHOD.match(_plain(first)))


def is_output(names: Iterable[str]) -> bool:
    """Whether this program wrote a folder with these files, in a batch or in training."""
    return bool({*names} & {MANIFEST_NAME, RUN_NAME})


def truth_of(match: Match) -> Path | None:
    """The ground truth of the fusion, or None: the file of the same name, with any suffix, in a
    ground-truth folder (:data:`TRUTH_NAMES`) beside that of source A or beside one of its parents.

    Excludes folders of labels, which may be masks.
    """
    for above in list(match.a.parents)[1:4]:
        inside = match.a.relative_to(above).parts[1:]
        for name in TRUTH_NAMES:
            path = above.joinpath(name, *inside)
            if path.is_file():
                return path
            if path.parent.is_dir():
                found = same_stem(path)
                if len(found) == 1:
                    return found[0]
    return None


def skipped_note(kind: FolderKind, names: Iterable[str]) -> Message:
    """A sentence about skipped folders of one kind."""
    listed = ", ".join(f"{name}/" for name in names)
    if kind == "truth":
        return Message("{0}: ground truth or labels, not sources: passed over.", listed)
    if kind == "results":
        return Message("{0}: results, not sources: passed over.", listed)
    return Message("{0}: files of the system, not sources: passed over.", listed)
