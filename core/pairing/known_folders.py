"""Folders that hold no sources: what systems leave behind, ground truth, and results of methods."""

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
"""The record that a batch keeps in its output folder."""
RUN_NAME = "run.json"
"""The record that a training run keeps in its folder."""


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
"""Folders whose images results may be scored against."""
_TRUTH_WORDS = frozenset(("gt", "groundtruth", "label", "labels", "annotation", "annotations"))
_RESULT_WORDS = _set(
    """result results fused output outputs prediction predictions ergebnis ergebnisse"""
)
_RESULTS = frozenset(("out", "outs", "fusion", "fusions", "pred", "preds", "ausgabe", "fusioniert"))
NO_SOURCES = _RESULT_WORDS | _TRUTH_WORDS | {"truth", "seg", "segmentation"}
"""Words in names of files that are the truth, labels, or results."""
COPIES = _set("copy kopie copie copia cópia")
"""Words that file managers give to a second copy of a file."""
NO_SOURCES_ALONE = NO_SOURCES | COPIES | _set("mask masks depth edge edges roi")
"""Those, and others where the same name without the word is there (``1`` and ``1_mask``)."""
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
    """What a folder of this name holds for certain, wherever it lies; "" when that is not known."""
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
    """The same of a folder that lies beside two folders of sources: words that may mean else."""
    words = words_of(name)
    if _plain(name) in _TRUTH_BESIDE_SOURCES or words & _TRUTH_BESIDE_SOURCES:
        return "truth"
    return "results" if is_method(name) or "fusion" in words else kind_of(name)


@cache
def is_method(name: str) -> bool:
    """Whether ``name`` is a fusion method's (``CDDFuse``, ``U2Fusion_TNO``), not a data set's."""
    if _plain(name) in _METHODS:
        return True
    first = re.split(r"[\W_]+", normal(name).strip(" _-."))[0]
    generic = words_of(first) & (_NO_METHOD | {w for t in TASKS.values() for w in t.contexts})
    if generic or _plain(first) in ("fusion", "fuse"):
        return False
    return _plain(first) in _METHODS or bool(_METHOD.match(_plain(first)))


def is_output(names: Iterable[str]) -> bool:
    """Whether a folder with these files is what this program wrote: of a batch, or of training."""
    return bool({*names} & {MANIFEST_NAME, RUN_NAME})


def truth_of(match: Match) -> Path | None:
    """The image that fusion should give, or None: the file of the same name, whatever its suffix,
    in a folder for the truth (:data:`TRUTH_NAMES`) beside source A's, or beside one above it.

    Labels are no such truth: they may be masks.
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


def passed_over(kind: FolderKind, names: Iterable[str]) -> Message:
    """One sentence about folders of one kind that were passed over."""
    listed = ", ".join(f"{name}/" for name in names)
    if kind == "truth":
        return Message("{0}: ground truth or labels, not sources: passed over.", listed)
    if kind == "results":
        return Message("{0}: results, not sources: passed over.", listed)
    return Message("{0}: files of the system, not sources: passed over.", listed)
