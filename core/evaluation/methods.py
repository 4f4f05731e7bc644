"""The methods of an evaluation: run here, read from folders, or run as external programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Protocol

import numpy as np

from core import __version__
from core.baselines import BASELINES
from core.errors import InputError, Message
from core.evaluation.external import run_program, split_command
from core.evaluation.pairs import images_below, result_keys
from core.evaluation.peak_memory import PeakMeter
from core.evaluation.plan import EvaluationPlan, MethodChoice
from core.evaluation.result import NO_COST, FusionCost, MethodDescription, PairDescription
from core.fusion.opening import open_engine
from core.fusion.protocol import Engine
from core.io.reader import read_image
from core.io.values import as_stored
from core.io.writer import write_image
from core.metrics import Luma, to_luma8
from core.progress import Progress
from core.tasks import get_task
from core.types import FloatArray, FusionRequest, SourcePair
from core.windows import Windows


@dataclass(frozen=True, eq=False)
class FusedImage:
    """A fused image to score.

    Attributes:
        luma: uint8, H×W.
        cost: what the fusion took; nothing if the image was read.
        path: where it lies; None if it was not kept.
    """

    luma: Luma
    cost: FusionCost = NO_COST
    path: Path | None = None


class Method(Protocol):
    """Brings the fused image of a pair."""

    @property
    def description(self) -> MethodDescription:
        """What tables and reports say of it."""

    @property
    def ignored(self) -> tuple[str, ...]:
        """Results that belong to no pair."""

    @property
    def problems(self) -> tuple[str, ...]:
        """Ambiguous files that were left out, one sentence each."""

    def identity(self, pair: PairDescription) -> str | None:
        """What determines the fused image beside the sources; None if there is none.

        Raises:
            InputError: a file cannot be read.
        """

    def fuse(
        self, pair: PairDescription, sources: SourcePair, keep: Path | None, progress: Progress
    ) -> FusedImage:
        """The fused image, kept as the PNG file ``keep`` unless that is None.

        Raises:
            FusionError: it cannot be made or read. Cancelled: by ``progress``.
        """


def read_luma8(path: Path) -> Luma:
    """8-bit luma, H×W, of the result in ``path``, without any window applied.

    Raises:
        InputError: it cannot be read.
    """
    return to_luma8(as_stored(read_image(path)).normalised())


@dataclass(frozen=True, eq=False)
class EngineMethod:
    """A pack or a classical method, run here."""

    engine: Engine
    task: str
    method: str
    description: MethodDescription
    version: str
    _: KW_ONLY
    ignored: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def identity(self, pair: PairDescription) -> str:
        """Name, version and hash of the method."""
        return f"{self.description.kind} {self.task} {self.method} {self.version} {__version__}"

    def fuse(
        self, pair: PairDescription, sources: SourcePair, keep: Path | None, progress: Progress
    ) -> FusedImage:
        """As in :class:`Method`."""
        with PeakMeter(self.engine.device_choice.name) as meter:
            started = perf_counter()
            result = self.engine.fuse(FusionRequest(sources, self.task, self.method), progress)
            seconds = perf_counter() - started
        if keep is not None:
            _keep_image(keep, result.fused)
        cost = FusionCost(seconds, meter.rise, meter.device_peak)
        return FusedImage(to_luma8(result.fused), cost, keep)


@dataclass(frozen=True, eq=False)
class ResultFolder:
    """Results that were written before."""

    description: MethodDescription
    results: Mapping[str, Path]
    ignored: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def identity(self, pair: PairDescription) -> str | None:
        """Path, size and time of the result's file."""
        path = self.results.get(pair.name)
        return None if path is None else file_identity(path)

    def fuse(
        self, pair: PairDescription, sources: SourcePair, keep: Path | None, progress: Progress
    ) -> FusedImage:
        """As in :class:`Method`; the file stays where it is."""
        path = self.results[pair.name]
        return FusedImage(read_luma8(path), path=path)


@dataclass(frozen=True, eq=False)
class ExternalProgram:
    """A program that is run for every pair."""

    description: MethodDescription
    arguments: tuple[str, ...]
    timeout: float
    ignored: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def identity(self, pair: PairDescription) -> str:
        """The command line; a program that changes behind it is not noticed."""
        return f"command {' '.join(self.arguments)}"

    def fuse(
        self, pair: PairDescription, sources: SourcePair, keep: Path | None, progress: Progress
    ) -> FusedImage:
        """As in :class:`Method`."""
        if pair.transform is not None:
            raise InputError(
                Message("The program {0}", Path(self.arguments[0]).name),
                Message("it reads the files, which were laid on each other after reading"),
                Message("Leave the program out, or give it a folder of pictures that line up."),
            )
        started = perf_counter()
        image, peak = run_program(
            self.arguments, pair.a, pair.b, timeout=self.timeout, progress=progress
        )
        seconds = perf_counter() - started
        pixels = as_stored(image).normalised()
        if keep is not None:
            _keep_image(keep, pixels)
        return FusedImage(to_luma8(pixels), FusionCost(seconds, peak), keep)


def _keep_image(path: Path, pixels: FloatArray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_image(path, np.clip(pixels, 0, 1), bit_depth=8)


def file_identity(path: Path) -> str:
    """Path, size and time of a file.

    Raises:
        InputError: it cannot be read.
    """
    try:
        stat = path.stat()
    except OSError as error:
        raise InputError(
            str(path), Message("it cannot be read ({0})", error), Message("Check the file.")
        ) from error
    return f"{path} {stat.st_size} {stat.st_mtime_ns}"


def build_methods(plan: EvaluationPlan, pairs: Sequence[PairDescription]) -> tuple[Method, ...]:
    """The methods of ``plan``, with names that occur once.

    Raises:
        InputError: a method, folder or command cannot be used, two have the same name, or there is
            none. PackError: a pack cannot be used.
    """
    here = [choice.value for choice in plan.methods if choice.kind == "pack"]
    engine: Engine | None = None
    methods: list[Method] = []
    for choice in plan.methods:
        if choice.kind == "collection":
            methods += collection_methods(Path(choice.value), pairs)
        elif choice.kind == "folder":
            methods.append(_folder_method(choice, plan.sources, pairs))
        elif choice.kind == "command":
            methods.append(_command_method(choice, plan.timeout))
        else:
            engine = engine or open_engine(here, plan.device)
            methods.append(_engine_method(choice, plan.task, engine))
    return tuple(methods)


def check_names(methods: Sequence[Method]) -> None:
    """Check that there are methods, each with a name of its own.

    Raises:
        InputError: otherwise.
    """
    names = [method.description.name for method in methods]
    if not names:
        raise InputError(
            Message("The evaluation"),
            Message("no method was chosen"),
            Message("Add a pack, a classical method or a folder of results."),
        )
    for name in names:
        if names.count(name) > 1:
            raise InputError(
                Message("The evaluation"),
                Message("two methods are called “{0}”", name),
                Message("Every method needs a name of its own, for instance NAME=FOLDER."),
            )


def _engine_method(choice: MethodChoice, task: str, engine: Engine) -> EngineMethod:
    if not task:
        raise InputError(
            Message("Method “{0}”", choice.value),
            Message("it is run here, and no task was given"),
            Message("Give the task (--task), or NAME=FOLDER."),
        )
    task = get_task(task).name
    baseline = BASELINES.get(choice.value)
    if baseline is not None:
        name = choice.name or baseline.name
        described = MethodDescription(name, "classical", detail=baseline.reference)
        return EngineMethod(engine, task, choice.value, described, "")
    from core.packs.format import fusing_weights
    from core.packs.registry import Catalogue

    entry = Catalogue().find(choice.value, task)
    manifest = entry.manifest
    described = MethodDescription(
        choice.name or manifest.name,
        "pack",
        detail=f"{manifest.title}, {manifest.weights_sha256[:12]}",
        parameters=fusing_weights(entry.path, manifest.network),
    )
    return EngineMethod(engine, task, choice.value, described, manifest.weights_sha256)


def _folder_method(
    choice: MethodChoice, sources: Path, pairs: Sequence[PairDescription]
) -> ResultFolder:
    folder = Path(choice.value)
    by_name, problems = images_below(folder)
    found = {
        name: by_name[key]
        for name, keys in result_keys(pairs).items()
        if (key := next((key for key in keys if key in by_name), None)) is not None
    }
    if not found:
        raise InputError(
            str(folder),
            _why_none_matches(len(by_name), sources),
            Message(
                "Name each result like its sources, for instance “{0}.png”.",
                min(pair.name for pair in pairs),
            ),
        )
    used = {*found.values()}
    ignored = tuple(p.relative_to(folder).as_posix() for p in by_name.values() if p not in used)
    described = MethodDescription(choice.name or folder.name, "folder", detail=str(folder))
    return ResultFolder(described, found, ignored, problems)


def _why_none_matches(count: int, sources: Path) -> Message:
    if count == 0:
        return Message("there are no pictures in it")
    return Message.plural(
        "its one picture does not have the name of a pair in {1}",
        "none of its {0} pictures has the name of a pair in {1}",
        count,
        sources,
    )


def collection_methods(folder: Path, pairs: Sequence[PairDescription]) -> list[ResultFolder]:
    """The methods of a flat folder of ``IMAGE_METHOD.ext``, in order of name.

    Source images and files that begin with no pair's name are ignored.

    Raises:
        InputError: there is no such folder, or no result in it.
    """
    by_name, problems = images_below(folder)
    sources = {path.resolve() for pair in pairs for path in (pair.a, pair.b)}
    stems = {key: name for name, keys in result_keys(pairs).items() for key in keys}
    found: dict[str, dict[str, Path]] = {}
    ignored: list[str] = []
    for stem, path in by_name.items():
        begins = [key for key in stems if stem.startswith(f"{key}_") and len(stem) > len(key) + 1]
        if path.resolve() in sources:
            continue
        if not begins:
            ignored.append(path.relative_to(folder).as_posix())
            continue
        key = max(begins, key=len)
        found.setdefault(stem[len(key) + 1 :], {})[stems[key]] = path
    if not found:
        raise InputError(
            str(folder),
            Message("no picture in it is called like a pair and a method"),
            Message("Name them IMAGE_METHOD, for instance “{0}_GFF.png”.", pairs[0].name),
        )
    methods = [
        ResultFolder(MethodDescription(name, "collection", detail=str(folder)), results)
        for name, results in sorted(found.items(), key=lambda item: item[0].casefold())
    ]
    methods[0] = replace(methods[0], ignored=tuple(ignored), problems=problems)
    return methods


def _command_method(choice: MethodChoice, timeout: float) -> ExternalProgram:
    arguments = split_command(choice.value)
    name = choice.name or Path(arguments[0]).stem
    described = MethodDescription(name, "command", detail=choice.value)
    return ExternalProgram(described, arguments, timeout)


def sources_identity(pair: PairDescription, task: str, windows: Windows) -> str:
    """What determines the sources of a pair as they are scored, and its ground truth.

    Raises:
        InputError: a file cannot be read.
    """
    files = [path for path in (pair.a, pair.b, pair.truth) if path is not None]
    moved = () if pair.transform is None else (repr(pair.transform),)
    return " ".join((*map(file_identity, files), task, repr(windows), *moved, __version__))
