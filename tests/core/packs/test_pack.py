"""Packs: what is written comes back to the bit; anything else is refused with a remedy."""

from __future__ import annotations

import errno
import json
import os
import resource
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from core.errors import OutputError, PackError
from core.models.config import compact_config
from core.models.network import UniFusionNet
from core.packs.format import (
    PackManifest,
    TrainingRecord,
    manifest_seal,
    read_manifest,
    read_pack,
    tensors_sha256,
    write_pack,
)
from core.tasks import ColourPolicy
from resources import PACKS
from tests.tiny import backbone_file, tiny_compact, tiny_network, tiny_pack


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.safetensors"
    tiny_pack(path)
    return path


def _header(path: Path) -> dict[str, Any]:
    with safe_open(path, framework="pt") as stream:
        loaded: dict[str, Any] = json.loads(stream.metadata()["unifusion"])
    return loaded


def _rewrite(
    path: Path,
    manifest: object = None,
    tensors: dict[str, torch.Tensor] | None = None,
    rehash: bool = True,
    reseal: bool = True,
) -> None:
    """Write a file that is a sound safetensors file, but not quite the pack it was."""
    manifest = _header(path) if manifest is None else manifest
    tensors = load_file(path) if tensors is None else tensors
    if rehash and isinstance(manifest, dict):
        manifest["weights_sha256"] = tensors_sha256(tensors)
    if reseal and isinstance(manifest, dict):
        manifest["sealed_sha256"] = manifest_seal(manifest)
    save_file(tensors, path, metadata={"unifusion": json.dumps(manifest)})


def test_round_trip_is_bit_identical_and_keeps_the_manifest(tmp_path: Path) -> None:
    network = tiny_network()
    manifest = PackManifest(
        name="round",
        title="Round trip – Ü",
        task="mff",
        network=network.config,
        colour=ColourPolicy("luma", "both"),
        training=TrainingRecord(
            config={"steps": 5, "losses": {"edge": 1.5}},
            steps=5,
            pairs=2,
            seconds=1.5,
            scores={"Qabf": 0.61234567891},
            software={"torch": torch.__version__},
            parent="old 0123456789ab",
        ),
        licence="Apache-2.0",
        data=("one", "two"),
    )
    path = tmp_path / "round.safetensors"
    written = write_pack(path, network, manifest)
    assert replace(written, weights_sha256="", sealed_sha256="") == manifest
    assert written.weights_sha256 == tensors_sha256(network.own_state())
    again, read = read_pack(path)
    assert read == written == read_manifest(path)
    own, other = network.own_state(), again.own_state()
    assert own.keys() == other.keys()
    assert all(torch.equal(own[name], other[name]) for name in own)
    assert not again.training
    x, y = torch.rand(2, 1, 1, 32, 32)
    with torch.no_grad():
        assert torch.equal(
            network.fuse(network.encode(x, y), x, y), again.fuse(again.encode(x, y), x, y)
        )


def test_two_writings_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        tiny_pack(tmp_path / f"{name}.safetensors", name="same", title="same")
    one, two = (tmp_path / f"{n}.safetensors" for n in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


def test_the_hash_knows_names_types_shapes_and_bits() -> None:
    base = {"a": torch.tensor([1.0, 2.0])}
    others = [
        {"b": torch.tensor([1.0, 2.0])},
        {"a": torch.tensor([[1.0, 2.0]])},
        {"a": torch.tensor([1.0, 2.0]).view(torch.int32)},
        {"a": torch.tensor([1.0, 2.0000002])},
        {"a": torch.tensor([1.0, 2.0]), "b": torch.zeros(0)},
    ]
    hashes = {tensors_sha256(t) for t in (base, *others)}
    assert len(hashes) == 1 + len(others)
    layout = torch.arange(24.0).view(1, 2, 3, 4)
    moved = layout.to(memory_format=torch.channels_last)
    assert tensors_sha256({"a": layout}) == tensors_sha256({"a": moved})


def test_every_flipped_byte_of_the_weights_is_noticed(pack: Path) -> None:
    good = pack.read_bytes()
    start = 8 + int.from_bytes(good[:8], "little")
    for position in (start, (start + len(good)) // 2, len(good) - 1):
        damaged = bytearray(good)
        damaged[position] ^= 1
        pack.write_bytes(damaged)
        assert read_manifest(pack)
        with pytest.raises(PackError, match="weights are not those"):
            read_pack(pack)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5, 0.999])
def test_truncated_files_are_refused(pack: Path, share: float) -> None:
    whole = pack.read_bytes()
    pack.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(PackError, match=r"tiny\.safetensors.*(damaged|not a safetensors)"):
        read_pack(pack)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"just some text, longer than eight bytes",
        b"\xff" * 64,
        b"\x02\x00\x00\x00\x00\x00\x00\x00[]",
        b"\x02\x00\x00\x00\x00\x00\x00\x00\xff\xfe",
        (200_000).to_bytes(8, "little") + b"[" * 200_000,
    ],
    ids=["empty", "text", "huge header", "list", "not utf-8", "deep"],
)
def test_files_of_another_kind_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.safetensors"
    path.write_bytes(content)
    with pytest.raises(PackError, match=r"other\.safetensors.*not a safetensors") as caught:
        read_manifest(path)
    assert caught.value.remedy
    with pytest.raises(PackError):
        read_pack(path)


def test_a_missing_file_a_folder_and_a_foreign_model_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="no such pack"):
        read_pack(tmp_path / "none.safetensors")
    (tmp_path / "folder.safetensors").mkdir()
    with pytest.raises(PackError, match=r"folder\.safetensors"):
        read_pack(tmp_path / "folder.safetensors")
    foreign = tmp_path / "foreign.safetensors"
    save_file({"w": torch.zeros(2)}, foreign)
    with pytest.raises(PackError, match="no manifest"):
        read_pack(foreign)


@pytest.mark.parametrize("manifest", ['{"format_version": ', "[1, 2]", "3", "null", "[" * 100_000])
def test_manifests_that_are_no_table_are_refused(pack: Path, manifest: str) -> None:
    save_file(load_file(pack), pack, metadata={"unifusion": manifest})
    with pytest.raises(PackError, match=r"not JSON|format version"):
        read_pack(pack)


def test_a_manifest_that_is_no_text_is_refused(tmp_path: Path) -> None:
    header = json.dumps({"__metadata__": {"unifusion": {"format_version": 1}}}).encode()
    path = tmp_path / "odd.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(PackError, match=r"odd\.safetensors"):
        read_manifest(path)


@pytest.mark.parametrize("version", [0, 4, 99, "1", True, None])
def test_unknown_versions_are_refused_and_say_so(pack: Path, version: object) -> None:
    _rewrite(pack, _header(pack) | {"format_version": version})
    with pytest.raises(PackError, match=f"format version is {version}.*reads 1 to 3") as caught:
        read_pack(pack)
    assert "Update" in caught.value.remedy


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"task": "xyz"}, "task “xyz”"),
        ({"mood": "good"}, "mood"),
        ({"name": 3}, "name"),
        ({"colour": {"mode": "cmyk", "chroma": "a"}}, "colour"),
        ({"colour": {"mode": "rgb", "chroma": "a"}}, "does not fit"),
        ({"training": {"steps": "many"}}, "steps"),
        ({"network": {"heads": 0}}, "heads"),
        ({"network": {"wings": 2}}, "wings"),
    ],
)
def test_damaged_manifests_name_the_place(
    pack: Path, change: dict[str, object], named: str
) -> None:
    _rewrite(pack, _header(pack) | change)
    with pytest.raises(PackError, match=named) as caught:
        read_pack(pack)
    assert str(pack) in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize("key", ["name", "task", "network", "colour", "format_version"])
def test_a_manifest_without_a_needed_entry_is_refused(pack: Path, key: str) -> None:
    header = _header(pack)
    del header[key]
    _rewrite(pack, header)
    with pytest.raises(PackError, match=key.replace("_", " ")):
        read_pack(pack)


def test_tensors_must_fit_to_the_last(pack: Path) -> None:
    good = load_file(pack)
    name = "fusion.merge.weight"
    cases = {
        f"1 missing .*{name}": {k: v for k, v in good.items() if k != name},
        "1 unknown .*spare": good | {"spare": torch.zeros(3)},
        f"1 misshapen .*{name}": good | {name: torch.zeros(1)},
    }
    for message, tensors in cases.items():
        _rewrite(pack, tensors=tensors)
        with pytest.raises(PackError, match=message):
            read_pack(pack)


@pytest.mark.parametrize("dtype", [torch.int8, torch.float16, torch.float64, torch.bool])
def test_weights_of_another_number_type_are_refused(pack: Path, dtype: torch.dtype) -> None:
    name = "fusion.merge.weight"
    tensors = load_file(pack)
    tensors[name] = tensors[name].to(dtype)
    _rewrite(pack, tensors=tensors)
    with pytest.raises(PackError, match=f"1 of another number type .*{name}"):
        read_pack(pack)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_weights_that_are_no_numbers_are_refused(pack: Path, number: float) -> None:
    tensors = load_file(pack)
    tensors["fusion.merge.weight"].view(-1)[3] = number
    _rewrite(pack, tensors=tensors)
    with pytest.raises(PackError, match=r"NaN or infinite numbers \(in fusion\.merge\.weight\)"):
        read_pack(pack)


_EDITS: list[dict[str, Any]] = [
    {"task": "ivif"},
    {"colour": {"mode": "luma", "chroma": "b"}},
    {"backbone_sha256": "0" * 64},
    {"network": {"backbone": {"max_tokens": 4}}},
    {"network": {"head": "decision"}},
    {"network": {"learned_mixing": ["ask_x.0"]}},
]


@pytest.mark.parametrize("edit", _EDITS, ids=str)
def test_what_shapes_a_result_cannot_be_edited(pack: Path, edit: dict[str, Any]) -> None:
    header = _header(pack)
    before = json.dumps(header, sort_keys=True)
    for key, value in edit.items():
        if isinstance(value, dict):
            for inner, new in value.items():
                old = header[key][inner]
                header[key][inner] = old | new if isinstance(new, dict) else new
        else:
            header[key] = value
    assert json.dumps(header, sort_keys=True) != before, "the edit must change something"
    _rewrite(pack, header, reseal=False)
    with pytest.raises(PackError, match="changed after the pack was made") as caught:
        read_manifest(pack)
    assert caught.value.remedy
    # Neither leaving the seal out nor calling it an older format helps an editor who forgets one.
    for careless in ({"sealed_sha256": ""}, {"format_version": 1}):
        _rewrite(pack, header | careless, reseal=False)
        with pytest.raises(PackError, match="changed after"):
            read_manifest(pack)


def test_names_titles_and_records_may_change_without_breaking_the_seal(pack: Path) -> None:
    header = _header(pack) | {"title": "Ours", "licence": "CC0-1.0", "data": ["one"]}
    _rewrite(pack, header, reseal=False)
    assert read_pack(pack)[1].title == "Ours"


def test_a_pack_of_format_1_is_still_read(pack: Path) -> None:
    header = _header(pack) | {"format_version": 1}
    del header["sealed_sha256"]
    _rewrite(pack, header, reseal=False)
    network, manifest = read_pack(pack)
    assert manifest.format_version == 1
    assert tensors_sha256(network.own_state()) == manifest.weights_sha256


@pytest.mark.parametrize("version", [1, 2])
def test_scores_of_earlier_formats_keep_their_values_and_are_written_anew(
    pack: Path, version: int
) -> None:
    header = _header(pack) | {"format_version": version}
    header["training"]["figures"] = header["training"].pop("scores") | {"MI": 2.5}
    if version == 1:
        del header["sealed_sha256"]
    _rewrite(pack, header, reseal=False)
    network, manifest = read_pack(pack)
    assert manifest.training.scores == {"Qabf": 0.5, "MI": 2.5}
    assert write_pack(pack, network, manifest).training == manifest.training
    assert _header(pack)["format_version"] == 3
    assert _header(pack)["training"]["scores"] == {"Qabf": 0.5, "MI": 2.5}
    assert "figures" not in _header(pack)["training"]


def test_format_3_knows_no_figures(pack: Path) -> None:
    header = _header(pack)
    header["training"]["figures"] = {"Qabf": 0.9}
    _rewrite(pack, header)
    with pytest.raises(PackError, match="figures"):
        read_manifest(pack)


@pytest.mark.parametrize("name", sorted(path.stem for path in PACKS.glob("*.safetensors")))
def test_embedded_packs_show_the_scores_their_files_hold(name: str) -> None:
    path = PACKS / f"{name}.safetensors"
    training = _header(path)["training"]
    stored = training.get("scores") or training["figures"]
    assert {"Qabf", "MI", "VIF", "reconstruction_psnr"} <= set(stored)
    assert read_manifest(path).training.scores == stored


@pytest.mark.parametrize(
    "network",
    [
        {"channels": 1024, "heads": 1024, "fusion_blocks": 64, "reconstruction_blocks": 64},
        {"backbone": {"kind": "encoder", "dim": 4096, "depth": 64, "heads": 1, "mlp_ratio": 16}},
        {"backbone": {"kind": "dinov3", "dim": 4096, "depth": 64, "heads": 64, "mlp_ratio": 16}},
    ],
    ids=["wide", "deep encoder", "deep vit"],
)
def test_a_small_file_cannot_ask_for_a_large_network(
    pack: Path, tmp_path: Path, network: dict[str, Any]
) -> None:
    """The first asks for some 10 GB; layers are counted by what is allocated outside meta."""
    header = _header(pack)
    header["network"] |= network
    header["backbone_sha256"] = "0" * 64
    _rewrite(pack, header)
    whole = {"backbone": backbone_file(tmp_path / "vit.safetensors")}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(PackError, match=r"do not fit|not a vit_small"):
        read_pack(pack, **whole)
    risen = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert risen < 300_000, "kB of memory for a file of some hundred"


def test_weights_of_another_manifest_are_refused(pack: Path) -> None:
    other = tiny_network(seed=5).own_state()
    _rewrite(pack, tensors={k: v.contiguous() for k, v in other.items()}, rehash=False)
    with pytest.raises(PackError, match="weights are not those"):
        read_pack(pack)


def test_a_network_of_another_architecture_is_refused(pack: Path) -> None:
    header = _header(pack)
    header["network"]["fusion_blocks"] = 2
    _rewrite(pack, header)
    with pytest.raises(PackError, match="missing"):
        read_pack(pack)


@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOSPC, "disk is full"), (errno.EACCES, "not writable")]
)
def test_a_failed_writing_leaves_the_old_pack(
    pack: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    before = pack.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "replace", full)
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutputError, match=words):
        tiny_pack(pack, seed=9)
    monkeypatch.undo()
    assert pack.read_bytes() == before
    assert [p.name for p in pack.parent.iterdir()] == [pack.name]


def test_writing_into_a_missing_folder_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="does not exist"):
        tiny_pack(tmp_path / "none" / "p.safetensors")


def test_the_embedded_family_fits_its_size_limit() -> None:
    with torch.device("meta"):
        network = UniFusionNet(compact_config())
    assert sum(t.numel() * t.element_size() for t in network.own_state().values()) < 12e6


def test_a_pack_of_each_ablation_comes_back(tmp_path: Path) -> None:
    without = replace(tiny_compact().backbone, kind="none")
    for index, changes in enumerate(
        ({"adapter": False}, {"reconstruction": False}, {"backbone": without})
    ):
        path = tmp_path / f"{index}.safetensors"
        network = tiny_network(tiny_compact(**changes))
        tiny_pack(path, network=network)
        again, manifest = read_pack(path)
        assert manifest.network == network.config
        assert tensors_sha256(again.own_state()) == tensors_sha256(network.own_state())
