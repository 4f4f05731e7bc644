"""The user’s packs: safe to take in from strangers, whole at every step, embedded ones safe."""

from __future__ import annotations

import json
import os
import pickle
import struct
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from core.errors import InputError, OutputError, PackError
from core.fusion.engine import FusionEngine
from core.packs import registry as catalogue_module
from core.packs import user_packs
from core.packs.format import manifest_seal, read_manifest, read_pack, write_pack
from core.packs.registry import DEFAULTS, Catalogue, defaults_in
from core.types import FusionRequest
from tests.tiny import pair, tiny_network, tiny_pack


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's pack folder (not there yet); beside it an embedded folder with one pack."""
    embedded = tmp_path / "embedded"
    embedded.mkdir()
    tiny_pack(embedded / "mif-built-in.safetensors")
    monkeypatch.setattr(catalogue_module, "PACKS", embedded)
    monkeypatch.setenv("UNIFUSION_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "packs"


def foreign(folder: Path, name: str = "theirs", **changes: object) -> Path:
    path = folder / f"{name}.safetensors"
    tiny_pack(path, seed=5, **changes)  # type: ignore[arg-type]
    return path


def listed() -> list[str]:
    return sorted(entry.manifest.name for entry in Catalogue().scan()[0])


def test_an_imported_pack_is_a_copy_that_fuses(home: Path, tmp_path: Path) -> None:
    path = foreign(tmp_path)
    path.with_suffix(".md").write_text("# Theirs\nfor brains", encoding="utf-8")
    before = path.read_bytes()
    entry = user_packs.import_pack(path, "mif")
    assert entry.path == home / "theirs.safetensors"
    assert entry.path.read_bytes() == before == path.read_bytes()
    assert user_packs.card_of(entry).startswith("# Theirs")
    assert listed() == ["mif-built-in", "theirs"]
    path.unlink()
    result = FusionEngine("cpu").fuse(FusionRequest(pair(), "mif", "theirs"))
    assert result.provenance["weights_sha256"] == entry.manifest.weights_sha256


def test_the_same_weights_are_not_taken_twice_and_a_taken_name_gets_a_number(
    home: Path, tmp_path: Path
) -> None:
    user_packs.import_pack(foreign(tmp_path))
    with pytest.raises(InputError, match="there already, as “Tiny theirs”"):
        user_packs.import_pack(foreign(tmp_path))
    other = tmp_path / "other"
    other.mkdir()
    tiny_pack(other / "x.safetensors", seed=6, name="theirs")
    entry = user_packs.import_pack(other / "x.safetensors")
    assert (entry.manifest.name, entry.path.name) == ("theirs-2", "theirs-2.safetensors")
    assert entry.manifest.title == "Tiny x (2)"
    network, manifest = read_pack(entry.path)
    assert manifest == entry.manifest
    want = load_file(other / "x.safetensors")
    assert all(torch.equal(tensor, want[name]) for name, tensor in network.own_state().items())
    assert listed() == ["mif-built-in", "theirs", "theirs-2"]


class _Bomb:
    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (Path("exploded"),)


@pytest.mark.parametrize("name", ["a.pth", "a.safetensors", "a.bin"])
@pytest.mark.parametrize("how", ["pickle", "torch"])
def test_pickles_are_refused_by_any_name_and_never_opened(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, how: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / name
    if how == "torch":
        torch.save({"x": _Bomb()}, path)
    else:
        path.write_bytes(pickle.dumps(_Bomb()))
    with pytest.raises(PackError, match="can run any program"):
        user_packs.import_pack(path)
    assert not (tmp_path / "exploded").exists()
    assert not home.exists()


def _patched(path: Path, change: dict[str, object], *, reseal: bool = True) -> Path:
    """The pack with another manifest, as somebody who knows the format would make it."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    raw = json.loads(header["__metadata__"]["unifusion"])
    for key, value in change.items():
        at = raw
        *folders, last = key.split(".")
        for folder in folders:
            at = at[folder]
        at[last] = value
    if reseal:
        raw["sealed_sha256"] = manifest_seal(raw)
    header["__metadata__"]["unifusion"] = json.dumps(raw)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + length :])
    return path


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"network.backbone.dim": 4096, "network.backbone.heads": 64}, "its tensors do not fit"),
        ({"network.fusion_blocks": 64}, "its tensors do not fit"),
        ({"weights_sha256": "0" * 64}, "not those its manifest"),
        ({"task": "virus"}, "unknown"),
        ({"format_version": 99}, "version is 99"),
        ({"name": 7}, "damaged"),
    ],
)
def test_a_pack_that_lies_is_refused_and_nothing_is_left(
    home: Path, tmp_path: Path, change: dict[str, object], said: str
) -> None:
    with pytest.raises(PackError, match=said) as caught:
        user_packs.import_pack(_patched(foreign(tmp_path), change))
    assert "theirs.safetensors" in str(caught.value)
    assert not home.exists() or list(home.iterdir()) == []


def test_an_edited_manifest_is_refused(home: Path, tmp_path: Path) -> None:
    path = _patched(foreign(tmp_path), {"colour.chroma": "nearest"}, reseal=False)
    with pytest.raises(PackError, match="changed after the pack was made"):
        user_packs.import_pack(path)


def test_a_linked_card_is_not_followed(home: Path, tmp_path: Path) -> None:
    path, secret = foreign(tmp_path), tmp_path / "secret.txt"
    secret.write_text("password", encoding="utf-8")
    path.with_suffix(".md").unlink(missing_ok=True)
    path.with_suffix(".md").symlink_to(secret)
    entry = user_packs.import_pack(path)
    assert not entry.path.with_suffix(".md").exists()
    entry.path.with_suffix(".md").symlink_to(secret)
    assert "password" not in user_packs.card_of(entry)
    out = user_packs.export_pack(entry, tmp_path / "out.safetensors")
    assert not out.with_suffix(".md").exists()
    os.mkfifo(tmp_path / "pipe.md")
    assert user_packs._card_beside(tmp_path / "pipe.safetensors") is None


def test_damaged_foreign_and_missing_files_are_refused(home: Path, tmp_path: Path) -> None:
    path = foreign(tmp_path)
    content = path.read_bytes()
    cases = {
        "cut": content[:-100],
        "flipped": content[:-1] + bytes([content[-1] ^ 1]),
        "text": b"just some words, long enough",
        "empty": b"",
    }
    for name, data in cases.items():
        bad = tmp_path / f"{name}.safetensors"
        bad.write_bytes(data)
        with pytest.raises(PackError) as caught:
            user_packs.import_pack(bad)
        assert f"{name}.safetensors" in str(caught.value)
        assert caught.value.why
    plain = tmp_path / "plain.safetensors"
    save_file({"x": torch.zeros(2)}, plain)
    with pytest.raises(PackError, match="no UniFusion pack"):
        user_packs.import_pack(plain)
    for there in (tmp_path / "none.safetensors", tmp_path):
        with pytest.raises(PackError, match="no such file"):
            user_packs.import_pack(there)
    with pytest.raises(PackError, match="for the task “Medical”"):
        user_packs.import_pack(path, "mef")
    assert listed() == ["mif-built-in"]


def test_a_name_cannot_lead_out_of_the_folder(home: Path, tmp_path: Path) -> None:
    entry = user_packs.import_pack(_patched(foreign(tmp_path), {"name": "../../évil name"}))
    assert entry.path == home / "evil-name.safetensors"
    assert entry.manifest.name == "evil-name"


def test_names_count_on_and_avoid_classical_methods(home: Path) -> None:
    assert user_packs.next_name("Our SPECT!") == "our-spect"
    assert user_packs.next_name("average") == "average-2"
    assert user_packs.next_name("mif-built-in") == "mif-built-in-2"
    home.mkdir(parents=True)
    for number in (2, 3):
        tiny_pack(home / f"mif-built-in-{number}.safetensors", seed=number)
    assert user_packs.next_name("mif-built-in") == "mif-built-in-4"
    assert user_packs.next_name("mif-built-in-2") == "mif-built-in-4"
    assert user_packs.next_name("***") == "pack"


def test_renaming_keeps_the_weights_the_card_and_the_default(home: Path, tmp_path: Path) -> None:
    path = foreign(tmp_path)
    path.with_suffix(".md").write_text("card", encoding="utf-8")
    entry = user_packs.import_pack(path)
    user_packs.set_default("mif", "theirs")
    new = user_packs.rename_pack(entry, "  Our   SPECT ")
    assert (new.manifest.name, new.manifest.title) == ("our-spect", "Our SPECT")
    assert sorted(p.name for p in home.iterdir()) == sorted(
        ["our-spect.md", "our-spect.safetensors", DEFAULTS]
    )
    assert new.manifest.weights_sha256 == read_pack(new.path)[1].weights_sha256
    assert user_packs.default_name("mif") == "our-spect"
    again = user_packs.rename_pack(new, "our SPECT")
    assert again.path == new.path
    assert read_manifest(new.path).title == "our SPECT"
    for taken in ("mif built in", "Average"):
        with pytest.raises(InputError, match="another pack has it"):
            user_packs.rename_pack(again, taken)
    with pytest.raises(InputError, match="no letters"):
        user_packs.rename_pack(again, " * ")


def test_a_deleted_pack_comes_back_until_it_is_purged(home: Path, tmp_path: Path) -> None:
    path = foreign(tmp_path)
    path.with_suffix(".md").write_text("card", encoding="utf-8")
    entry = user_packs.import_pack(path)
    user_packs.set_default("mif", "theirs")
    gone = user_packs.delete_pack(entry)
    assert listed() == ["mif-built-in"]
    assert user_packs.default_name("mif") == "mif-built-in"
    back = user_packs.restore_pack(gone)
    assert back.path.read_bytes() == path.read_bytes()
    assert user_packs.card_of(back) == "card"
    assert user_packs.default_name("mif") == "theirs"
    gone = user_packs.delete_pack(back)
    user_packs.purge_deleted()
    with pytest.raises(OutputError):
        user_packs.restore_pack(gone)
    assert [p.name for p in home.iterdir()] == [DEFAULTS]


def test_embedded_packs_are_protected(home: Path) -> None:
    (entry,) = Catalogue().scan()[0]
    before = entry.path.read_bytes()
    for attempt in (
        lambda: user_packs.rename_pack(entry, "mine"),
        lambda: user_packs.delete_pack(entry),
    ):
        with pytest.raises(InputError, match="came with the program"):
            attempt()
    assert entry.path.read_bytes() == before


def test_export_writes_a_pack_that_can_be_imported_elsewhere(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (entry,) = Catalogue().scan()[0]
    written = user_packs.export_pack(entry, tmp_path / "for you")
    assert written == tmp_path / "for you.safetensors"
    assert written.read_bytes() == entry.path.read_bytes()
    with pytest.raises(OutputError, match="the pack itself"):
        user_packs.export_pack(entry, entry.path)
    with pytest.raises(OutputError):
        user_packs.export_pack(entry, tmp_path / "nowhere" / "x.safetensors")
    monkeypatch.setattr(catalogue_module, "PACKS", tmp_path / "none")
    assert user_packs.import_pack(written).manifest.name == "mif-built-in"


def test_the_default_is_honoured_and_falls_back(home: Path, tmp_path: Path) -> None:
    assert user_packs.default_name("mif") == "mif-built-in"
    assert user_packs.default_name("mef") == ""
    user_packs.import_pack(foreign(tmp_path))
    user_packs.set_default("mif", "theirs")
    assert Catalogue().find("", "mif").manifest.name == "theirs"
    methods = FusionEngine("cpu").methods("mif")
    assert [m.name for m in methods if m.default] == ["theirs"]
    with pytest.raises(InputError, match="No pack “nope”"):
        user_packs.set_default("mif", "nope")
    (home / "theirs.safetensors").unlink()
    assert Catalogue().find("", "mif").manifest.name == "mif-built-in"
    user_packs.set_default("mif", "")
    assert defaults_in(home) == {}


@pytest.mark.parametrize("text", ["", "[]", "{", '{"mif": 3}', "[" * 100_000])
def test_a_damaged_list_of_defaults_is_no_list(home: Path, text: str) -> None:
    home.mkdir(parents=True)
    (home / DEFAULTS).write_text(text, encoding="utf-8")
    assert user_packs.default_name("mif") == "mif-built-in"
    user_packs.set_default("mif", "mif-built-in")
    assert defaults_in(home) == {"mif": "mif-built-in"}


def test_a_card_is_made_where_there_is_none(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "bare.safetensors"
    network = tiny_network(seed=9)
    manifest = tiny_pack(path, network=network)
    write_pack(path, network, manifest)
    card = user_packs.card_of(user_packs.import_pack(path))
    assert card.startswith("# Tiny bare")
    for said in ("Medical", "3 steps", "Apache-2.0", "noise", "Qabf: 0.5"):
        assert said in card
