"""``unifusion packs``: lists packs and shows their details."""

from __future__ import annotations

from pathlib import Path

from app.cli.console import say
from core.errors import InputError
from core.packs.format import SUFFIX, PackManifest, read_manifest
from core.packs.registry import Catalogue, user_pack_folder


def list_packs() -> None:
    """Print one line per pack, then unusable files with the reason."""
    good, broken = Catalogue().scan()
    for entry in good:
        manifest = entry.manifest
        origin = "embedded" if entry.embedded else str(entry.path)
        scores = _scores(manifest)
        say(f"{manifest.task:5} {manifest.name:20} {manifest.title}  [{origin}]  {scores}".rstrip())
    for bad in broken:
        say(f"unusable: {bad.reason}")
    say(f"Your own packs go into {user_pack_folder()}")


def show_pack(name: str) -> None:
    """Print the manifest of a pack, given its name or file.

    Raises:
        InputError: there is no pack of that name. PackError: the file is not a pack.
    """
    manifest, path = _find(name)
    network = manifest.network
    record = manifest.training
    lines = [
        ("name", manifest.name),
        ("title", manifest.title),
        ("file", str(path)),
        ("size", f"{path.stat().st_size / 1e6:.1f} MB"),
        ("task", manifest.task),
        ("network", f"{network.backbone.label}, C = {network.channels}, 1/{network.stride}"),
        ("colour", f"{manifest.colour.mode}, chroma from {manifest.colour.chroma}"),
        ("trained", f"{record.steps} steps on {record.pairs} pairs in {record.seconds:.0f} s"),
        ("seed", str(record.config.get("seed", ""))),
        ("parent", record.parent or "none"),
        ("scores", _scores(manifest)),
        ("data", "; ".join(manifest.data)),
        ("licence", manifest.licence),
        ("backbone", manifest.backbone_sha256),
        ("weights", manifest.weights_sha256),
        ("format", str(manifest.format_version)),
    ]
    for key, value in lines:
        if value:
            say(f"{key:9} {value}")


def _find(name: str) -> tuple[PackManifest, Path]:
    if name.endswith(SUFFIX):
        return read_manifest(Path(name)), Path(name)
    entries = Catalogue().scan()[0]
    for entry in entries:
        if entry.manifest.name == name:
            return entry.manifest, entry.path
    names = ", ".join(entry.manifest.name for entry in entries) or "none"
    raise InputError(f"No pack “{name}”", f"there are: {names}", "Run “unifusion packs list”.")


def _scores(manifest: PackManifest) -> str:
    return ", ".join(f"{k} {v:.3f}" for k, v in manifest.training.scores.items())
