"""Commands on terminals with old code pages, and names that try to steer a terminal."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from app.cli.console import say, show
from app.cli.main import app
from core.printable import one_line, printable, valid
from tests.tiny import tiny_compact, tiny_network

ROOT = Path(__file__).resolve().parents[3]
PAGES = (
    {"PYTHONIOENCODING": "ascii"},
    {"PYTHONIOENCODING": "cp1252"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
)
HOSTILE = "scan\x1b[2J\x1b]0;mine\x07\x9b31m\u202e"


def command(*words: str, **environment: str) -> tuple[int, bytes, bytes]:
    done = subprocess.run(
        [sys.executable, "-m", "app", *words],
        cwd=ROOT, capture_output=True, env={**os.environ, **environment}, timeout=120, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: next(iter(page.values())))
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("doctor",), None),
        (("packs", "list"), 0),
        (("packs", "info", "ivif-compact"), 0),
        (("--help",), 0),
        (("fuse", "größe–1.png", "no.png", "-o", "x.png", "-t", "mff"), 2),
    ],
)
def test_every_code_page(page: dict[str, str], words: tuple[str, ...], code: int | None) -> None:
    got, out, err = command(*words, **page)
    assert b"Traceback" not in err
    assert b"unexpected" not in err
    assert got in ((0, 1) if code is None else (code,))
    assert out if got == 0 else out or err


def test_what_a_code_page_lacks_is_replaced(capsys: pytest.CaptureFixture[str]) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", newline="")
    say("größe 3×4", stream)
    show("\x1b[1mbold\x1b[0m – own", stream)
    assert raw.getvalue().decode() == f"gr??e 3?4{os.linesep}\x1b[1mbold\x1b[0m ? own{os.linesep}"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("\x1b[31mred", "�[31mred"),
        ("a\x07\x08\x00b\x7f", "a���b�"),
        ("\x9b2J", "�2J"),
        ("gnp.\u202eexe", "gnp.�exe"),
        ("two\nlines", "two lines"),
        ("\r\x1b[Kwiped", " �[Kwiped"),
        (os.fsdecode(b"caf\xe9"), "caf�"),
        ("größe\t3×4 ✓", "größe\t3×4 ✓"),
    ],
)
def test_nothing_steers_the_terminal(text: str, wanted: str) -> None:
    assert one_line(text) == wanted
    assert printable("a\nb\x1b") == "a\nb�"


def test_valid_keeps_names_apart() -> None:
    assert valid("größe") == "größe"
    assert valid(os.fsdecode(b"\xe9")) != valid(os.fsdecode(b"\xe8"))


def test_titles_and_names_from_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.packs.format import PackManifest, write_pack
    from core.tasks import TASKS

    pack = tmp_path / "tiny.safetensors"
    config = tiny_compact()
    manifest = PackManifest("tiny", HOSTILE, "mff", config, TASKS["mff"].colour)
    write_pack(pack, tiny_network(config, 1), manifest)
    source, out = tmp_path / "in", tmp_path / "out"
    for side in "ab":
        (source / side).mkdir(parents=True)
        for name, content in ((HOSTILE, b""), ("good", None)):
            pixels = np.zeros((12, 12), np.uint8)
            data = cv2.imencode(".png", pixels)[1].tobytes() if content is None else content
            (source / side / f"{name}.png").write_bytes(data)
    (source / "a" / f"{HOSTILE}2.png").write_bytes(b"x")
    batch = ["batch", str(source), "-o", str(out), "-t", "mff", "--pack", "average"]
    for words in (
        ["packs", "info", str(pack)],
        [*batch, "--dry-run"],
        batch,
        ["fuse", *(str(source / s / f"{HOSTILE}.png") for s in "ab"), "-o", "x.png", "-t", "mff"],
        ["evaluate", "--sources", str(source), "--method", f"{HOSTILE}={source / 'a'}"],
    ):
        result = CliRunner().invoke(app, words)
        text = result.stdout + result.stderr
        assert "scan" in text or words[0] == "evaluate"
        assert not set("\x1b\x07\x9b\u202e") & set(text)
