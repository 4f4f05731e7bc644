"""DINOv3 fetched from a hub on this machine: kept only when it is the file that was promised."""

from __future__ import annotations

import contextlib
import errno
import gc
import hashlib
import http.client
import os
import re
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import load_file, save
from timm.models.eva import checkpoint_filter_fn

from core.errors import BackboneMissing, Cancelled, DownloadError, OutputError, PackError
from core.models.backbone import Dinov3Backbone, file_sha256
from core.models.config import DINOV3_TIMM_NAME, BackboneConfig
from core.models.network import UniFusionNet
from core.packs import download
from core.packs.download import fetch_backbone
from core.packs.format import read_pack, tensors_sha256
from core.packs.paths import backbone_file, stored_backbone
from tests.core.hub import Behaviour, Hub, release_of
from tests.tiny import TINY_VIT, tiny_pack, tiny_paper
from tests.tiny import backbone_file as random_backbone


class Told:
    """Remembers what was reported; says stop when ``stop`` says so."""

    def __init__(self, stop: Callable[[float], bool] = lambda done: False) -> None:
        self.reports: list[tuple[float, float, str]] = []
        self._stop = stop
        self._done = 0.0

    def report(self, done: float, total: float, stage: str) -> None:
        self._done = done
        self.reports.append((done, total, stage))

    def check(self) -> None:
        if self._stop(self._done):
            raise Cancelled


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    """A small DINOv3 of random numbers, as timm would write it."""
    return random_backbone(tmp_path / "random.safetensors").read_bytes()


PINNED = download.RELEASE


@pytest.fixture(autouse=True)
def _small_and_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(download, "CONFIG", TINY_VIT)
    monkeypatch.setattr(download, "RELEASE", release_of(content))
    monkeypatch.setenv("UNIFUSION_HOME", str(tmp_path / "home"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, content: bytes) -> Iterator[Callable[..., Any]]:
    """Opens a hub that behaves as told; all sockets to elsewhere are denied meanwhile."""

    @contextmanager
    def opened(**does: Any) -> Iterator[Hub]:
        with Hub(Behaviour(**{"content": content, **does})) as made, _only_here():
            monkeypatch.setenv("HF_ENDPOINT", made.address)
            yield made

    return opened


_denied: list[str] = []
_watching = threading.Event()


def _deny_elsewhere(event: str, details: tuple[Any, ...]) -> None:
    if event in ("socket.connect", "socket.getaddrinfo") and _watching.is_set():
        place = details[1] if event == "socket.connect" else details
        if place[0] != "127.0.0.1":
            _denied.append(str(place))
            raise PermissionError("only this machine")


sys.addaudithook(_deny_elsewhere)


@contextmanager
def _only_here() -> Iterator[None]:
    _denied.clear()
    _watching.set()
    try:
        yield
    finally:
        _watching.clear()
    assert _denied == []


def left() -> list[str]:
    """What lies in the folder, half-written files included."""
    folder = backbone_file().parent
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def test_repository_and_names_are_those_timm_itself_would_load() -> None:
    config = timm.models.get_pretrained_cfg(DINOV3_TIMM_NAME)
    assert config is not None
    assert config.hf_hub_id == download.REPOSITORY
    assert config.license == "dinov3-license"
    assert not config.hf_hub_filename
    assert download.FILE == "model.safetensors", "what timm takes when no other is named"
    vit = Dinov3Backbone(BackboneConfig()).vit
    state = dict(vit.state_dict())
    assert len(save(state)) == PINNED.bytes, "to the byte what writing these tensors takes"
    assert re.fullmatch(r"[0-9a-f]{64}", PINNED.sha256)
    assert re.fullmatch(r"[0-9a-f]{40}", PINNED.revision)
    # timm's own filter, which it applies to whatever it downloads, has nothing to rename.
    filtered = checkpoint_filter_fn(dict(state), vit)
    assert filtered.keys() == state.keys()
    assert all(torch.equal(filtered[name], state[name]) for name in state)


def test_the_file_is_kept_byte_for_byte_and_nothing_else_is_sent(hub, content, monkeypatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret")
    told = Told()
    assert stored_backbone() is None
    with hub() as opened:
        stored = fetch_backbone(told)
    assert stored.path == stored_backbone() == backbone_file()
    assert stored.path.read_bytes() == content
    assert (stored.bytes, stored.sha256) == (len(content), file_sha256(stored.path))
    assert left() == [stored.path.name]
    assert told.reports[0][2] == "connecting"
    moved = [(done, total) for done, total, stage in told.reports if stage == "downloading"]
    assert moved[-1] == (len(content), len(content))
    assert [done for done, _ in moved] == sorted({done for done, _ in moved})
    path, sent = opened.does.asked[0]
    assert path == "/timm/vit_small_patch16_dinov3.lvd1689m/resolve/main/model.safetensors"
    assert {name.lower() for name in sent} == {
        "accept-encoding",
        "host",
        "user-agent",
        "connection",
    }
    assert sent["User-Agent"].startswith("UniFusion-Studio/")


def test_a_fetched_backbone_serves_a_pack_that_was_given_none(hub, content, tmp_path) -> None:
    weights = tmp_path / "given.safetensors"
    weights.write_bytes(content)
    network = UniFusionNet(tiny_paper(in_channels=1))
    assert isinstance(network.backbone, Dinov3Backbone)
    digest = network.backbone.load_weights(weights)
    pack = tmp_path / "p.safetensors"
    tiny_pack(pack, network=network, backbone_sha256=digest)
    with pytest.raises(BackboneMissing, match="unifusion backbone fetch"):
        read_pack(pack)
    with hub():
        assert fetch_backbone().sha256 == digest
    read, _ = read_pack(pack)
    assert isinstance(read.backbone, Dinov3Backbone)
    assert tensors_sha256(read.backbone.vit.state_dict()) == tensors_sha256(load_file(weights))
    random_backbone(backbone_file(), seed=8)
    with pytest.raises(PackError, match="is not the"):
        read_pack(pack)


@pytest.mark.parametrize("declared", ["true", "none", "its own"])
def test_another_file_than_the_pinned_one_is_not_kept(hub, content, declared) -> None:
    """Whatever is declared of it: a mirror that exchanges the file can declare anything."""
    bent = bytearray(content)
    bent[-1] ^= 1
    true = hashlib.sha256(content).hexdigest()
    sha256 = {"true": true, "none": "", "its own": None}[declared]
    said = "another file" if declared == "its own" else true[:12]
    with hub(content=bytes(bent), sha256=sha256), pytest.raises(DownloadError, match=said):
        fetch_backbone()
    assert left() == []


@pytest.mark.parametrize(
    "address", ["http://hub.invalid", "http://192.0.2.7", "ftp://127.0.0.1", "file:///etc", "hub"]
)
def test_an_address_that_is_not_protected_is_not_asked(monkeypatch, address) -> None:
    monkeypatch.setenv("HF_ENDPOINT", address)
    with _only_here(), pytest.raises(DownloadError, match="not protected") as caught:
        fetch_backbone()
    assert "https://" in caught.value.remedy
    assert left() == []


def test_a_transfer_that_breaks_off_is_told_and_an_older_file_stays(hub, content) -> None:
    with hub():
        fetch_backbone()
    before = backbone_file().read_bytes()
    with hub(send=1000), pytest.raises(DownloadError, match="broke off after 1000 of") as caught:
        fetch_backbone()
    assert caught.value.remedy == "Try again."
    assert left() == [backbone_file().name]
    assert backbone_file().read_bytes() == before


@pytest.mark.parametrize("wrong", ["missing", "unknown", "shape", "no weights"])
def test_tensors_that_do_not_fit_are_refused(hub, monkeypatch, tmp_path, wrong) -> None:
    state = load_file(random_backbone(tmp_path / "x.safetensors"))
    name = next(iter(sorted(state)))
    tensors = {
        "missing": {k: v for k, v in state.items() if k != name},
        "unknown": state | {"head.weight": torch.zeros(2)},
        "shape": state | {name: torch.zeros(1, 2, 3)},
    }
    other = save(tensors[wrong]) if wrong in tensors else b"<html>please sign in</html>" * 9
    # Even where the program knew such a file: what is fetched must fit the network.
    monkeypatch.setattr(download, "RELEASE", release_of(other))
    with hub(content=other), pytest.raises(DownloadError, match=r"no DINOv3 ViT-S/16"):
        fetch_backbone()
    assert left() == []


@pytest.mark.parametrize("declared", [{"sha256": ""}, {"sha256": "abc"}, {"size": 0}])
def test_what_is_not_declared_is_checked_all_the_same(hub, content, declared) -> None:
    with hub(**declared):
        assert fetch_backbone().sha256 == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("size", [-5, 5])
def test_a_file_of_another_size_is_told_before_it_is_transferred(hub, content, size) -> None:
    with (
        hub(size=len(content) + size) as opened,
        pytest.raises(DownloadError, match="another file"),
    ):
        fetch_backbone()
    assert left() == []
    assert not opened.does.began.is_set() or opened.does.asked


def test_a_longer_file_is_not_the_file(hub, content) -> None:
    longer = content + b"more"
    short = hub(content=longer, size=len(content), sha256="")
    with short, pytest.raises(DownloadError, match="sha256"):
        fetch_backbone()
    assert left() == []


@pytest.mark.parametrize("moment", ["connecting", "midway"])
def test_cancel_is_heeded_while_the_server_says_nothing(hub, content, moment) -> None:
    gate = threading.Event()
    if moment == "midway":
        told = Told(lambda done: done >= 1000)
        with hub(send=5000, gate=gate) as opened, pytest.raises(Cancelled):
            fetch_backbone(told)
        assert opened.does.began.is_set()
        assert told.reports[-1][2] == "downloading"
    else:
        calls = iter(range(1000))
        with hub(send=0, gate=gate), pytest.raises(Cancelled):
            fetch_backbone(Told(lambda done: next(calls) > 3))
    assert left() == []


@pytest.mark.parametrize(
    ("status", "said", "remedy"),
    [
        (401, "login", "browser"),
        (403, "agreement", "browser"),
        (404, "not there", "browser"),
        (407, "proxy", "HTTPS_PROXY"),
        (429, "busy", "later"),
        (503, "busy", "later"),
    ],
)
def test_a_refusal_says_what_to_do(hub, status, said, remedy) -> None:
    with hub(status=status), pytest.raises(DownloadError, match=said) as caught:
        fetch_backbone()
    assert remedy in caught.value.remedy
    assert "127.0.0.1" in caught.value.what
    assert left() == []


def test_nobody_there_is_told(monkeypatch) -> None:
    with Hub(Behaviour()) as gone:
        monkeypatch.setenv("HF_ENDPOINT", gone.address)
    with (
        _only_here(),
        pytest.raises(DownloadError, match=r"No connection to 127\.0\.0\.1") as caught,
    ):
        fetch_backbone()
    assert "firewall" in caught.value.remedy


def test_a_computer_that_is_offline_is_told(monkeypatch) -> None:
    """RFC 6761: names that end in .invalid never exist, so no server is asked anything."""
    monkeypatch.setenv("HF_ENDPOINT", "https://hub.invalid")
    for name in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(DownloadError, match=r"No connection to hub\.invalid") as caught:
        fetch_backbone()
    assert "offline" in caught.value.why


def test_a_proxy_that_refuses_is_told(hub, monkeypatch) -> None:
    with Hub(Behaviour()) as proxy:  # answers CONNECT with “not implemented”
        monkeypatch.setenv("HF_ENDPOINT", "https://hub.invalid")
        monkeypatch.setenv("https_proxy", proxy.address)
        with _only_here(), pytest.raises(DownloadError, match="proxy") as caught:
            fetch_backbone()
    assert "HTTPS_PROXY" in caught.value.remedy


def test_an_error_keeps_nothing_of_the_connection_alive(hub, monkeypatch) -> None:
    """Without the garbage collector, which may warn of the open socket in any later test."""
    gc.collect()
    gc.disable()
    try:
        before = sum(type(each) is http.client.HTTPResponse for each in gc.get_objects())
        with Hub(Behaviour()) as proxy:
            monkeypatch.setenv("HF_ENDPOINT", "https://hub.invalid")
            monkeypatch.setenv("https_proxy", proxy.address)
            with contextlib.suppress(DownloadError):
                fetch_backbone()
        after = sum(type(each) is http.client.HTTPResponse for each in gc.get_objects())
    finally:
        gc.enable()
    assert after == before


def test_a_redirect_away_from_the_web_is_not_followed(hub, tmp_path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    for place in (f"file://{secret}", "ftp://127.0.0.1/x", "http://192.0.2.7/x"):
        with hub(redirect_to=place), pytest.raises(DownloadError):
            fetch_backbone()
    assert left() == []


def test_a_full_disk_is_told_before_and_during(hub, content, monkeypatch) -> None:
    usage = shutil.disk_usage(".")
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=10))
        with hub(), pytest.raises(OutputError, match="are needed"):
            fetch_backbone()
    assert left() == []

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with hub(), pytest.raises(OutputError, match="disk is full"):
        fetch_backbone()
    assert left() == []


def test_terms_and_place_can_be_shown_without_asking_anyone(monkeypatch) -> None:
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    monkeypatch.setattr(download, "RELEASE", PINNED)
    assert download.address() == (
        "https://huggingface.co/timm/vit_small_patch16_dinov3.lvd1689m/resolve/"
        f"{PINNED.revision}/model.safetensors"
    )
    assert any("military" in term for term in download.TERMS)
    assert any("copy of it" in term for term in download.TERMS)
