"""The user's library of packs: import, export, rename, delete, and choice of the default.

All functions operate on the user's folder (:func:`core.packs.registry.user_pack_folder`) and are
atomic. Embedded packs are never modified. The model card of a pack is the ``.md`` file beside it,
which accompanies the pack.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from core.baselines import BASELINES
from core.errors import InputError, Message, OutputError, PackError
from core.io.atomic import atomic_path, atomic_write, output_error
from core.models.tensor_header import read_header
from core.packs.format import (
    SUFFIX,
    PackManifest,
    check_tensors,
    manifest_text,
    read_manifest,
    read_weights,
)
from core.packs.naming import free_name, slug
from core.packs.registry import DEFAULTS, Catalogue, PackEntry, defaults_in, user_pack_folder
from core.tasks import get_task

LARGEST_BYTES = 2 << 30
"""Largest size of a pack; larger files are rejected."""

_LARGEST_CARD = 1 << 20
_TRASH = ".deleted"
_PICKLES = {".pth", ".pt", ".ckpt", ".bin", ".pkl", ".pickle", ".tar"}
_RUNS_CODE = Message(
    "it is a Python pickle, which can run any program when it is opened; it was not opened"
)
_USE_SAFE = Message("Ask its maker for a UniFusion pack (.safetensors).")


@dataclass(frozen=True)
class Deleted:
    """A deleted pack that can still be restored.

    Attributes:
        entry: the pack as listed before.
        kept: present path of its file.
        was_default: whether it was the default of its task.
    """

    entry: PackEntry
    kept: Path
    was_default: bool


# --- names -------------------------------------------------------------------------------------


def next_name(base: str) -> str:
    """The first of ``base``, ``base-2``, ``base-3``, … that is not in use."""
    return free_name(base, used_names())


def used_names() -> set[str]:
    """Names of packs and classical methods, and of all files in the user's folder."""
    packs = {entry.manifest.name for entry in Catalogue().scan()[0]}
    files = {path.stem for path in user_pack_folder().glob(f"*{SUFFIX}")}
    return packs | files | set(BASELINES)


# --- in and out --------------------------------------------------------------------------------


def import_pack(path: str | Path, task: str | None = None) -> PackEntry:
    """Copy a pack into the user's folder, after checking all of its tensors.

    Nothing in the file is executed. Its header is read first, and the network it describes is built
    on the meta device and compared with the tensors in the file, so that a small file cannot
    request a large network; then hash and weights are checked. A name in use gets a number.

    Args:
        task: refuse packs of other tasks.

    Raises:
        PackError: not a pack, damaged, a pickle, too large, or of another task.
        InputError: a pack with the same weights is already in the library.
        OutputError: it cannot be copied.
    """
    path = Path(path)
    _refuse_unsafe(path)
    manifest = read_manifest(path)
    if task is not None and manifest.task != get_task(task).name:
        raise PackError(
            str(path),
            Message("it is for the task “{0}”", get_task(manifest.task).title),
            Message("Choose that task, or another pack."),
        )
    for entry in Catalogue().scan()[0]:
        if entry.manifest.weights_sha256 == manifest.weights_sha256:
            raise InputError(
                path.name,
                Message("it is there already, as “{0}”", entry.manifest.title),
                Message("Use that one."),
            )
    name = next_name(manifest.name)
    target = _user_folder() / f"{name}{SUFFIX}"
    with atomic_path(target) as temporary:
        shutil.copyfile(path, temporary)
        # The copy is checked, because the original may change in the meantime.
        _verify(temporary, str(path))
        if name != manifest.name:
            title = f"{manifest.title} ({name.rpartition('-')[2]})"
            renamed = replace(manifest, name=name, title=title)
            temporary.write_bytes(_rewritten(temporary, renamed))
    _copy_card(path, target)
    return PackEntry(target, read_manifest(target), False)


def _refuse_unsafe(path: Path) -> None:
    if not path.is_file():
        raise PackError(str(path), Message("there is no such file"), Message("Check the path."))
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            start = stream.read(9)
    except OSError as error:
        raise PackError(
            str(path),
            Message("it cannot be read ({0})", error.strerror),
            Message("Check that the file is there and may be read."),
        ) from error
    # torch.save writes a zip; 0x80 starts a bare pickle. A pack's JSON starts at its ninth byte.
    pickled = start[:2] == b"PK" or (start[:1] == b"\x80" and start[8:] != b"{")
    if pickled or path.suffix.lower() in _PICKLES:
        raise PackError(str(path), _RUNS_CODE, _USE_SAFE)
    if size > LARGEST_BYTES:
        raise PackError(
            str(path),
            Message("it has {0:.1f} GB, more than a pack ever has", size / 1e9),
            _USE_SAFE,
        )


def _verify(path: Path, what: str) -> None:
    """All checks of :func:`core.packs.format.read_pack` except that of the external backbone."""
    manifest = read_manifest(path)
    check_tensors(path, manifest, what, whole=False)
    read_weights(path, manifest, what)


def export_pack(entry: PackEntry, path: str | Path) -> Path:
    """Write a pack and its model card to a file; returns the path, including the suffix.

    Raises:
        OutputError: it cannot be written, or is the pack's own file.
    """
    target = Path(path)
    if target.suffix.lower() != SUFFIX:
        target = target.with_name(target.name + SUFFIX)
    if target.resolve() == entry.path.resolve():
        raise OutputError(
            Message("Cannot write {0}", target),
            Message("it is the pack itself"),
            Message("Name another file."),
        )
    with atomic_path(target) as temporary:
        shutil.copyfile(entry.path, temporary)
    _copy_card(entry.path, target)
    return target


def card_of(entry: PackEntry) -> str:
    """The model card as Markdown: the file beside the pack, or a summary of its manifest."""
    card = _card_beside(entry.path)
    with contextlib.suppress(OSError):
        if card is not None:
            return card.read_text(encoding="utf-8", errors="replace")
    return _plain_card(entry)


def _card_beside(pack: Path) -> Path | None:
    """The model card beside ``pack``; None if there is none, or if it is a link or too large.

    A link in a folder of unknown origin may refer to any file of the user, which would be shown and
    exported as the model card.
    """
    card = pack.with_suffix(".md")
    with contextlib.suppress(OSError):
        status = card.lstat()
        if stat.S_ISREG(status.st_mode) and status.st_size <= _LARGEST_CARD:
            return card
    return None


def _plain_card(entry: PackEntry) -> str:
    manifest = entry.manifest
    record, network = manifest.training, manifest.network
    rows = {
        "name": manifest.name,
        "task": get_task(manifest.task).title,
        "network": f"{network.backbone.label}, C = {network.channels}, 1/{network.stride}",
        "trained": f"{record.steps} steps on {record.pairs} pairs",
        "parent": record.parent or "none",
        "licence": manifest.licence or "not stated",
        "weights sha256": f"`{manifest.weights_sha256}`",
    }
    lines = [f"# {manifest.title}", "", "| | |", "| --- | --- |"]
    lines += [f"| {name} | {value.replace('|', '/')} |" for name, value in rows.items()]
    if manifest.data:
        lines += ["", "## Data", "", *(f"- {line}" for line in manifest.data)]
    if record.scores:
        lines += ["", "## Scores", "", *(f"- {k}: {v:.4g}" for k, v in record.scores.items())]
    return "\n".join(lines) + "\n"


def _copy_card(source: Path, target: Path) -> None:
    card = _card_beside(source)
    with contextlib.suppress(OSError, OutputError):  # a pack is complete without its model card
        if card is not None:
            atomic_write(target.with_suffix(".md"), card.read_bytes())


# --- changing ----------------------------------------------------------------------------------


def rename_pack(entry: PackEntry, name: str) -> PackEntry:
    """Rename a pack: ``name`` becomes its title.

    Short name and file name are derived from it (“Our SPECT” → ``our-spect``). The weights do not
    change, and a default remains the default.

    Raises:
        InputError: ``name`` has no usable characters or is in use, or the pack is embedded.
        OutputError: the folder cannot be written.
    """
    _require_user_pack(entry)
    title, short = " ".join(name.split()), slug(name)
    if not short:
        raise InputError(
            Message("The name “{0}”", name),
            Message("it has no letters or digits"),
            Message("Choose another."),
        )
    if short != entry.manifest.name and short in used_names():
        raise InputError(
            Message("The name “{0}”", title),
            Message("another pack has it"),
            Message("Choose another."),
        )
    target = entry.path.with_name(f"{short}{SUFFIX}")
    manifest = replace(entry.manifest, name=short, title=title)
    with _as_output_error(entry.path):
        atomic_write(target, _rewritten(entry.path, manifest))
    was_default = default_name(manifest.task) == entry.manifest.name
    if target != entry.path:
        with _as_output_error(entry.path):
            card = entry.path.with_suffix(".md")
            if card.is_file():
                card.replace(target.with_suffix(".md"))
            entry.path.unlink()
    if was_default:
        set_default(manifest.task, short)
    return PackEntry(target, manifest, False)


def delete_pack(entry: PackEntry) -> Deleted:
    """Remove a pack from the library. It can be restored until :func:`purge_deleted`.

    Raises:
        InputError: the pack is embedded. OutputError: the folder cannot be written.
    """
    _require_user_pack(entry)
    task = entry.manifest.task
    was_default = default_name(task) == entry.manifest.name
    trash = _user_folder() / _TRASH
    with _as_output_error(entry.path):
        trash.mkdir(exist_ok=True)
        kept = trash / entry.path.name
        entry.path.replace(kept)
        card = entry.path.with_suffix(".md")
        if card.is_file():
            card.replace(kept.with_suffix(".md"))
    if was_default:
        set_default(task, "")
    return Deleted(entry, kept, was_default)


def restore_pack(deleted: Deleted) -> PackEntry:
    """Restore a deleted pack, as the default if it was the default.

    Raises:
        InputError: its name is in use now. OutputError: its file no longer exists.
    """
    entry = deleted.entry
    if entry.path.exists():
        raise InputError(
            Message("Pack “{0}”", entry.manifest.title),
            Message("another pack has its name by now"),
            Message("Rename that one."),
        )
    with _as_output_error(entry.path):
        deleted.kept.replace(entry.path)
        card = deleted.kept.with_suffix(".md")
        if card.is_file():
            card.replace(entry.path.with_suffix(".md"))
    if deleted.was_default:
        set_default(entry.manifest.task, entry.manifest.name)
    return entry


def purge_deleted() -> None:
    """Delete removed packs permanently; files that cannot be deleted are deleted the next time."""
    shutil.rmtree(user_pack_folder() / _TRASH, ignore_errors=True)


# --- the default -------------------------------------------------------------------------------


def default_name(task: str) -> str:
    """Name of the default pack of ``task`` (see :meth:`Catalogue.find`); "" if there is none."""
    packs = Catalogue().for_task(get_task(task).name)
    return packs[0].manifest.name if packs else ""


def set_default(task: str, name: str) -> None:
    """Make a pack the default of its task; "" restores the embedded default.

    Raises:
        InputError: the task has no such pack. OutputError: the choice cannot be written.
    """
    task = get_task(task).name
    if name:
        name = Catalogue().find(name, task).manifest.name
    folder = _user_folder()
    chosen = dict(defaults_in(folder))
    if name:
        chosen[task] = name
    else:
        chosen.pop(task, None)
    text = json.dumps(chosen, indent=1, sort_keys=True, ensure_ascii=False)
    atomic_write(folder / DEFAULTS, text.encode())


# --- common ------------------------------------------------------------------------------------


def _require_user_pack(entry: PackEntry) -> None:
    if entry.embedded or entry.path.parent.resolve() != user_pack_folder().resolve():
        raise InputError(
            Message("Pack “{0}”", entry.manifest.title),
            Message("it came with the program and stays as it is"),
            Message("Export it, and work with the copy."),
        )


def _user_folder() -> Path:
    folder = user_pack_folder()
    with _as_output_error(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def _as_output_error(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise output_error(path, error) from error


def _rewritten(source: Path, manifest: PackManifest) -> bytes:
    """The pack at ``source`` with another manifest and unchanged tensors."""
    header = read_header(source)
    content = source.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header["__metadata__"] = {**header.get("__metadata__", {}), **manifest_text(manifest)}
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + content[8 + length :]
