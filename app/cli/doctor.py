"""``unifusion doctor``: a report on this machine, with fixes for what is missing."""

from __future__ import annotations

import os
import platform
import sys
from importlib import metadata

from app.cli.console import DONE, FAILED, say
from app.shell.display_server import install_command, missing_libraries, unreachable_screens
from core import __version__
from core.cluster.extra import EXTRA
from core.device import choose_device
from core.packs.paths import stored_backbone
from core.packs.registry import Catalogue, user_pack_folder
from core.tasks import TASKS
from trainer.config import recipes

_PACKAGES = (
    "torch",
    "torchvision",
    "timm",
    "numpy",
    "pillow",
    "simplejpeg",
    "opencv-python-headless",
    "safetensors",
    "annotated-types",
    "pydantic",
    "typer",
    "platformdirs",
    "filelock",
    "tomli-w",
    "psutil",
    "tifffile",
    "imagecodecs",
    "pydicom",
    "highdicom",
    "python-gdcm",
    "pylibjpeg",
    "pylibjpeg-openjpeg",
    "pynetdicom",
    "dicomweb-client",
    "requests",
    "nibabel",
    "scipy",
    "SimpleITK",
    "matplotlib",
    "reportlab",
    "PySide6-Essentials",
    "pyqtgraph",
    "superqt",
    "qtawesome",
)


def examine() -> int:
    """Print the report.

    Returns:
        0 when fusion and the window will work, 1 when something must be fixed first.
    """
    troubles: list[str] = []
    say(
        f"UniFusion Studio {__version__}, Python {platform.python_version()}, {platform.platform()}"
    )
    _versions(troubles)
    _devices()
    _packs(troubles)
    _backbone()
    _cluster()
    _display(troubles)
    for trouble in troubles:
        say(f"! {trouble}")
    count = "1 thing" if len(troubles) == 1 else f"{len(troubles)} things"
    say(f"{count} to mend, see above." if troubles else "All is well.")
    return FAILED if troubles else DONE


def _versions(troubles: list[str]) -> None:
    found = []
    for package in _PACKAGES:
        try:
            found.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            # A frozen program is complete, and has no pip.
            if not getattr(sys, "frozen", False):
                troubles.append(f"{package} is not installed. Run: pip install {package}")
    if found:
        say(f"packages  {', '.join(found)}")


def _devices() -> None:
    import torch

    choice = choose_device("auto")
    say(f"device    {choice.name}: {choice.label} – {choice.reason}")
    for index in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(index)
        say(
            f"          cuda:{index} {torch.cuda.get_device_name(index)}, "
            f"{free / 2**30:.1f} of {total / 2**30:.1f} GiB free"
        )


def _packs(troubles: list[str]) -> None:
    good, broken = Catalogue().scan()
    say(f"packs     {', '.join(entry.manifest.name for entry in good) or 'none'}")
    say(f"          your own go into {user_pack_folder()}")
    troubles.extend(f"Unusable pack: {bad.reason}" for bad in broken)
    for task in filter(recipes.path_of, TASKS):  # those delivered with a pack
        if not any(entry.manifest.task == task for entry in good):
            troubles.append(f"There is no pack for task {task}. Install the program again.")


def _backbone() -> None:
    stored = stored_backbone()
    if stored is None:
        say("backbone  DINOv3 is not there; only networks built on it need it:")
        say("          unifusion backbone fetch")
    else:
        say(f"backbone  DINOv3, {stored.stat().st_size / 1e6:.0f} MB: {stored}")


def _cluster() -> None:
    found = []
    for package in ("dask", "distributed", "dask-jobqueue", "cryptography"):
        try:
            found.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            say(f"cluster   {package} is not there; only work on other computers needs it:")
            say(f'          pip install "{EXTRA}"')
            return
    say(f"cluster   {', '.join(found)}")


def _display(troubles: list[str]) -> None:
    missing = missing_libraries()
    if missing:
        troubles.append(
            f"System libraries for the window are missing: {', '.join(missing)}. "
            f"Run: {install_command(tuple(missing.values()))}"
        )
    if sys.platform.startswith("linux"):
        seen = os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY")
        say(f"display   {seen or 'none: the window needs one, the command line does not'}")
        if seen:
            troubles.extend(
                f"{said[:1].upper()}{said[1:]}: the window cannot open, the command line works."
                for said in unreachable_screens()
            )
