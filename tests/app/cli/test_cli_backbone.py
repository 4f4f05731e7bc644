"""``unifusion backbone``: nothing is fetched before the licence was agreed to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli.main import app
from core.packs import download
from core.packs.paths import backbone_file
from tests.core.hub import Behaviour, Hub, release_of
from tests.tiny import TINY_VIT
from tests.tiny import backbone_file as random_backbone

runner = CliRunner()


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    content = random_backbone(tmp_path / "random.safetensors").read_bytes()
    monkeypatch.setattr(download, "CONFIG", TINY_VIT)
    monkeypatch.setattr(download, "RELEASE", release_of(content))
    monkeypatch.setenv("UNIFUSION_HOME", str(tmp_path / "home"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with Hub(Behaviour(content=content)) as made:
        monkeypatch.setenv("HF_ENDPOINT", made.address)
        yield made


def test_without_agreement_it_tells_everything_and_asks_nobody(hub: Hub) -> None:
    result = runner.invoke(app, ["backbone", "fetch"])
    assert result.exit_code == 1
    words = " ".join(result.output.split())
    assert hub.address in words
    assert f"about {download.RELEASE.bytes / 1e6:.0f} MB" in words
    assert "No pictures, no names, no login" in words
    assert download.LICENCE_ADDRESS in words
    assert all(str(term) in words for term in download.TERMS)
    assert "--agree-to-licence" in words
    assert hub.does.asked == []
    assert not backbone_file().exists()


def test_with_agreement_it_is_fetched_once_and_told_about(hub: Hub) -> None:
    digest = hashlib.sha256(hub.does.content).hexdigest()
    result = runner.invoke(app, ["doctor"])
    assert "unifusion backbone fetch" in result.stdout
    result = runner.invoke(app, ["backbone", "info"])
    assert "not fetched" in result.stdout
    result = runner.invoke(app, ["backbone", "fetch", "--agree-to-licence"])
    assert result.exit_code == 0, result.output
    assert digest in result.stdout
    assert backbone_file().read_bytes() == hub.does.content
    asked = len(hub.does.asked)
    result = runner.invoke(app, ["backbone", "fetch", "--agree-to-licence"])
    assert "is there already" in result.stdout
    assert len(hub.does.asked) == asked
    result = runner.invoke(app, ["backbone", "info"])
    assert digest in result.stdout
    result = runner.invoke(app, ["doctor"])
    assert str(backbone_file()) in result.stdout


def test_an_error_is_one_line(hub: Hub) -> None:
    hub.does.status = 401
    result = runner.invoke(app, ["backbone", "fetch", "--agree-to-licence"])
    assert result.exit_code == 2
    assert len(result.stderr.strip().splitlines()) == 1
    assert "Open its page in a browser" in result.stderr
