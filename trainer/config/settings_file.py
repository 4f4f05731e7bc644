"""Reading and writing the settings of a run as TOML or JSON."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import ValidationError

from core.errors import InputError, Message
from core.io.atomic import atomic_write
from trainer.config.config import TrainConfig, train_adapter
from trainer.config.validation_messages import first_message


def load_config(path: Path) -> TrainConfig:
    """Read a run configuration from TOML or JSON; InputError as in :func:`load_settings`."""
    return load_settings(path)[0]


def load_settings(path: Path) -> tuple[TrainConfig, frozenset[str]]:
    """Read a run configuration from TOML or JSON, and the names of the settings in the file.

    Raises:
        InputError: the file cannot be read, or a value is invalid; the message names it.
    """
    try:
        text = path.read_text(encoding="utf-8")
        raw = tomllib.loads(text) if path.suffix.lower() == ".toml" else json.loads(text)
        return train_adapter.validate_python(raw), frozenset(raw)
    except ValidationError as error:
        where, why = first_message(error)
        raise InputError(
            Message("{0}: {1}", path, where) if where else str(path),
            why,
            Message("Correct it in the file."),
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(str(path), str(error), Message("Give a TOML or JSON file.")) from error


def save_config(config: TrainConfig, path: Path) -> None:
    """Write a run configuration; raises the errors of :func:`save_settings`."""
    save_settings(train_adapter.dump_python(config, mode="json"), path)


def save_settings(settings: Mapping[str, Any], path: Path) -> None:
    """Write settings, given as nested plain data, as TOML or JSON depending on the suffix.

    Values that are None are omitted, because TOML cannot represent them; an omitted setting has its
    default value.

    Raises:
        InputError: unsupported suffix. OutputError: the file cannot be written.
    """
    plain = _without_none(settings)
    suffix = path.suffix.lower()
    if suffix not in (".toml", ".json"):
        raise InputError(
            str(path),
            Message("settings are saved as .toml or .json"),
            Message("Choose one of these."),
        )
    if suffix == ".json":
        text = json.dumps(plain, indent=2, ensure_ascii=False) + "\n"
    else:
        text = tomli_w.dumps(plain)
    atomic_write(path, text.encode("utf-8"))


def _without_none(table: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _without_none(value) if isinstance(value, Mapping) else value
        for name, value in table.items()
        if value is not None
    }
