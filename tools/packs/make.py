"""Make the embedded packs from a folder of pictures, by the steps in ``chain.toml``.

A step is not done again while its pack stands on the packs and the recipe that it would be made
from now. An interrupted run goes on where it was.

    python -m tools.packs.make --data DATA --out OUT

DATA holds ``train/TASK/{a,b}`` and ``val/TASK/{a,b}`` (for ``mff`` also ``train/mff/gt``). In OUT
there is then a pack for each step, beside the folder of its run, and ``chain.json``: of each pack
the step that made it, the SHA-256 of the step's recipe file, and that of its weights.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from app.cli.console import say
from app.cli.train import TrainOptions, run_training
from core.errors import FusionError, InputError, Message
from core.io import atomic_write
from core.packs.format import SUFFIX, read_manifest
from tools.packs.average import average_packs
from tools.packs.bounded import keep_within_bounds
from trainer.config.recipes import path_of
from trainer.config.run_plan import RunPlan
from trainer.config.settings_file import load_settings
from trainer.run_folder.registry import read_record

CHAIN = Path(__file__).with_name("chain.toml")
PICTURES = Path(__file__).with_name("pictures.toml")
RECORD = "chain.json"
"""Name of the file in OUT that says what each pack was made by."""


@dataclass(frozen=True)
class Training:
    """A run of a recipe, from nothing or from the pack of another step."""

    recipe: str
    start: str = ""

    @property
    def needs(self) -> tuple[str, ...]:
        """The steps to be done before."""
        return (self.start,) if self.start else ()


@dataclass(frozen=True)
class Averaging:
    """The weighted mean of the packs of two steps; ``share``, 0 to 1, is that of the second."""

    mean: tuple[str, str]
    share: float

    @property
    def needs(self) -> tuple[str, ...]:
        """The steps to be done before."""
        return self.mean


@dataclass(frozen=True)
class Bounding:
    """The pack of a step, whose output is kept within what its sources show."""

    bounded: str

    @property
    def needs(self) -> tuple[str, ...]:
        """The steps to be done before."""
        return (self.bounded,)


Step = Training | Averaging | Bounding


def read_chain(path: Path = CHAIN) -> dict[str, Step]:
    """The steps of a file, by the name of the pack that each makes.

    Raises:
        InputError: a step is incomplete, or needs one that does not come before it.
    """
    steps: dict[str, Step] = {}
    for name, given in tomllib.loads(path.read_text("utf-8")).items():
        step = _step(name, given)
        for other in step.needs:
            if other not in steps:
                raise InputError(Message("Step {0}", name), f"no step before it makes {other}")
        steps[name] = step
    return steps


def _step(name: str, given: Mapping[str, object]) -> Step:
    match dict(given):
        case {"recipe": str(recipe), **more} if more.keys() <= {"start"}:
            if path_of(recipe) is None:
                raise InputError(Message("Step {0}", name), f"there is no recipe {recipe}")
            return Training(recipe, str(more.get("start", "")))
        case {"mean": [str(first), str(second)], "share": float(share), **more} if not more:
            return Averaging((first, second), share)
        case {"bounded": str(other), **more} if not more:
            return Bounding(other)
    raise InputError(Message("Step {0}", name), "it is neither a run nor a mean")


def steps_of(wanted: Collection[str], steps: Mapping[str, Step]) -> tuple[str, ...]:
    """The names of the steps that lead to the ``wanted`` packs, in order; all for none.

    Raises:
        InputError: there is no such step.
    """
    for name in wanted:
        if name not in steps:
            raise InputError(Message("Step {0}", name), remedy=f"Choose among {', '.join(steps)}.")

    def with_needs(name: str) -> Iterator[str]:
        for other in steps[name].needs:
            yield from with_needs(other)
        yield name

    led = {each for name in wanted or steps for each in with_needs(name)}
    return tuple(name for name in steps if name in led)


def make(
    data: Path, out: Path, wanted: Collection[str] = (), *, length: int | None = None
) -> tuple[Path, ...]:
    """Do the steps that lead to the ``wanted`` packs, except for those that are done.

    Args:
        length: number of training steps in place of the recipes', to try the way.

    Returns:
        The packs, in the order of the steps.

    Raises:
        FusionError: as training does; what is done stays.
    """
    steps = read_chain()
    names = steps_of(wanted, steps)
    made = []
    for place, name in enumerate(names, 1):
        pack = out / f"{name}{SUFFIX}"
        made.append(pack)
        heading = f"{place}/{len(names)} {name}"
        if is_done(pack, steps[name], out):
            say(f"{heading}: done before")
            continue
        say(heading)
        match steps[name]:
            case Training(recipe, start):
                _train(recipe, out / f"{start}{SUFFIX}" if start else None, data, pack, length)
            case Averaging((first, second), share):
                average_packs(out / f"{first}{SUFFIX}", out / f"{second}{SUFFIX}", share, pack)
            case Bounding(other):
                keep_within_bounds(out / f"{other}{SUFFIX}", pack)
        _record(pack, steps[name], length)
    return tuple(made)


def is_done(pack: Path, step: Step, out: Path) -> bool:
    """Whether there is the pack of a finished step, made from the packs now in ``out``.

    Raises:
        InputError: there is one, made from other packs or by another state of the recipe.
    """
    try:
        parent = read_manifest(pack).training.parent
        if isinstance(step, Training):
            finished = read_record(RunPlan(pack, pack).run_folder).state == "finished"
        else:
            finished = True
    except FusionError:
        return False
    for other in step.needs:
        if read_manifest(out / f"{other}{SUFFIX}").weights_sha256[:12] not in parent:
            raise InputError(
                str(pack),
                Message("it was made from another {0} than that of now", other),
                Message("Move it, and the folder of its run, out of {0}.", out),
            )
    told = read_chain_record(out).get(pack.stem, {}).get("recipe_sha256")
    if finished and told is not None and told != _recipe_sha256(step):
        raise InputError(
            str(pack),
            Message("its recipe has changed since it was made"),
            Message("Move it, and the folder of its run, out of {0}.", out),
        )
    return finished


def read_chain_record(out: Path) -> dict[str, dict[str, Any]]:
    """What the packs in ``out`` were made by, by their names; empty where nothing is recorded."""
    path = out / RECORD
    if not path.is_file():
        return {}
    found: dict[str, dict[str, Any]] = json.loads(path.read_text("utf-8"))
    return found


def _record(pack: Path, step: Step, length: int | None) -> None:
    entry = {
        "step": asdict(step),
        "recipe_sha256": _recipe_sha256(step),
        "steps": length,  # None: the recipe's
        "weights_sha256": read_manifest(pack).weights_sha256,
    }
    record = read_chain_record(pack.parent) | {pack.stem: entry}
    atomic_write(pack.parent / RECORD, (json.dumps(record, indent=1) + "\n").encode())


def _recipe_sha256(step: Step) -> str | None:
    """Of the recipe file of a run; None for a step without one."""
    path = path_of(step.recipe) if isinstance(step, Training) else None
    return None if path is None else sha256(path.read_bytes()).hexdigest()


def _train(recipe: str, start: Path | None, data: Path, out: Path, length: int | None) -> None:
    path = path_of(recipe)
    assert path is not None  # read_chain has looked
    settings, _ = load_settings(path)
    pictures = tomllib.loads(PICTURES.read_text("utf-8"))
    told = pictures[settings.task]
    run_training(
        TrainOptions(
            (data / "train" / settings.task,),
            out,
            config=path,
            steps=length,
            init=str(start) if start else None,
            val=data / "val" / settings.task,
            title=told["title"],
            licence=pictures["licence"],
            data_used=tuple(told["data"]),
            keep="last",
        )
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=(), help="packs to make; all if not given")
    parser.add_argument("--steps", type=int, help="training steps, not the recipes', to try it")
    chosen = parser.parse_args(arguments)
    try:
        make(chosen.data, chosen.out, chosen.only, length=chosen.steps)
    except FusionError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
