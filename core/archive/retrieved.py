"""The private folder of retrieved studies, and clearing it."""

from __future__ import annotations

import shutil
from pathlib import Path

from core import salted
from core.data_folder import data_folder
from core.io.atomic import output_error


def retrieved_folder() -> Path:
    """The folder that studies are retrieved into where none is named; it may not exist yet."""
    return data_folder() / "retrieved"


def study_folder(study_uid: str) -> Path:
    """The folder of one study in it; its name says nothing of the patient."""
    return retrieved_folder() / salted.key(study_uid)


def retrieved_bytes() -> int:
    """How much there is in it."""
    folder = retrieved_folder()
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def clear_retrieved() -> None:
    """Delete all retrieved studies.

    Raises:
        OutputError: something cannot be deleted.
    """
    folder = retrieved_folder()
    if folder.is_dir():
        try:
            shutil.rmtree(folder)
        except OSError as error:
            raise output_error(folder, error) from error
