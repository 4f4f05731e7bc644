"""The start of the program, its exit codes, and the walls between its rooms."""

from __future__ import annotations

import ast
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
from PySide6.QtGui import QImage

from app.shell import application
from app.widgets import theme
from resources import PACKS, ROOT
from tests.app.conftest import gradient, write_png
from tests.app.standin import StandInEngine

_REPO = Path(__file__).resolve().parents[3]
_APP = _REPO / "app"


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh interpreter."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=_REPO,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


RUN = (
    "import sys; from pathlib import Path; from app.shell.application import run;"
    "a, b, task, method, out = sys.argv[1:6];"
    "sys.exit(run(Path(a), Path(b), task, method or None, 'cpu', screenshot=Path(out)))"
)


def test_the_window_stands_without_torch_engine_trainer_or_codecs():
    code = (
        "import sys; from PySide6.QtWidgets import QApplication; from pathlib import Path;"
        "app = QApplication([]); import app.shell.application as gui;"
        "from app.widgets import theme; from app.engine import engine_factory;"
        "import resources; theme.apply(app_ := QApplication.instance(), resources.ROOT);"
        "from app.shell.main_window import MainWindow;"
        "w = MainWindow(engine_factory('auto'), Path('.'), 'mif'); w.show();"
        "QApplication.processEvents();"
        "bad = [m for m in ('torch', 'timm', 'trainer', 'core.fusion.engine', 'core.models',"
        " 'core.io', 'cv2', 'PIL', 'scipy') if m in sys.modules]; w.close(); print(bad)"
    )
    done = python(code)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_the_other_pages_are_made_without_torch_engine_or_trainer():
    code = (
        "import sys, app.batch.page, app.train.page, app.packs.dialog;"
        "print([m for m in ('torch', 'timm', 'trainer', 'core.fusion.engine', 'core.models',"
        " 'dask', 'distributed', 'tornado') if m in sys.modules])"
    )
    done = python(code)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


@pytest.mark.parametrize("folder", ["commands", "viewer", "widgets"])
def test_what_is_on_screen_imports_only_what_they_may(folder):
    # Plain values, and what is quick to ask.
    allowed = {"core.types", "core.tasks", "core.errors", "core.available_memory", "core.windows"}
    if folder == "viewer":  # arithmetic on arrays, in numpy alone
        allowed |= {"core.fusion.feature_maps", "core.units.palettes", "core.units.palette_tables"}
    for path in (_APP / folder).glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        # What only the type checker reads is not imported.
        tree.body = [n for n in tree.body if "TYPE_CHECKING" not in ast.unparse(n).split("\n")[0]]
        for node in ast.walk(tree):
            names = []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            for name in names:
                assert name.split(".")[0] not in {"torch", "trainer"}, path
                assert name != "cv2" or node not in tree.body, path  # not before it is needed
                assert not name.startswith("core") or name in allowed, path
                assert name not in {
                    "app.fuse.tasks",
                    "app.fuse.source_tasks",
                    "app.fuse.controller",
                }, path


def test_real_engine_screenshot_of_a_classical_fusion(tmp_path, files):
    out = tmp_path / "shot.png"
    done = python(RUN, *map(str, files), "mif", "laplacian", str(out))
    assert (done.returncode, done.stderr) == (0, "")
    image = QImage(str(out))
    assert (image.width(), image.height()) == (1600, 1000)
    assert [p.name for p in tmp_path.iterdir() if "shot" in p.name] == ["shot.png"]


def test_real_model_screenshot_shows_all_six_panes(tmp_path, files):
    if not list(PACKS.glob("*.safetensors")):
        pytest.skip("no model pack is bundled yet")
    code = RUN.replace(
        "sys.exit(",
        "from app.shell import screenshot; old = screenshot.write_png\n"
        "def spy(window, path):\n"
        "    shown = [p.canvas.image is not None for p in window.view.panes.values()]\n"
        "    print(shown, window.session.outcome.is_model); old(window, path)\n"
        "screenshot.write_png = spy\n"
        "sys.exit(",
    )
    done = python(code, *map(str, files), "mif", "", str(tmp_path / "model.png"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == f"{[True] * 6} True"


def test_a_wrong_file_is_one_line_and_exit_code_2(tmp_path, files):
    bad = tmp_path / "mri_bad.png"
    bad.write_bytes(b"nothing")
    out = tmp_path / "shot.png"
    done = python(RUN, str(files[0]), str(bad), "mif", "average", str(out))
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "mri_bad.png" in done.stderr
    assert not out.exists()


@pytest.fixture
def quick(monkeypatch, samples) -> StandInEngine:
    """``run`` with the stand-in engine and small samples."""
    engine = StandInEngine()
    monkeypatch.setattr(application, "engine_factory", lambda device: lambda: engine)
    monkeypatch.setattr(application.remote, "computing", nullcontext)
    monkeypatch.setattr(application.resources, "SAMPLES", samples)
    return engine


def test_without_files_the_sample_of_the_task_is_fused(quick, tmp_path, capsys):
    out = tmp_path / "bild ü.png"
    assert application.run(None, None, "mff", None, "auto", screenshot=out) == 0
    assert not QImage(str(out)).isNull()
    assert [(r.task, r.method) for r in quick.requests] == [("mff", "mff-compact")]
    assert capsys.readouterr().err == ""


def test_the_task_is_guessed_and_the_method_taken(quick, tmp_path, files):
    assert application.run(*files, None, "average", "auto", screenshot=tmp_path / "o.png") == 0
    assert [(r.task, r.method) for r in quick.requests] == [("mif", "average")]


@pytest.mark.parametrize("case", ["sizes", "one", "task", "folder", "engine"])
def test_what_cannot_be_shown_ends_with_2_and_one_line(quick, tmp_path, files, capsys, case):
    a, b = files
    task, out = "mif", tmp_path / "o.png"
    expected = {
        "sizes": "64×48",
        "one": "two pictures",
        "task": "tomography",
        "folder": "missing",
        "engine": "broken pack",
    }[case]
    if case == "sizes":
        b = write_png(tmp_path / "small.png", gradient(8, 8))
    elif case == "one":
        b = None
    elif case == "task":
        task = "tomography"
    elif case == "folder":
        out = tmp_path / "missing" / "o.png"
    else:
        quick.trouble = lambda: RuntimeError("broken pack")
    assert application.run(a, b, task, None, "auto", screenshot=out) == 2
    error = capsys.readouterr().err
    assert len(error.strip().splitlines()) == 1
    assert expected in error
    assert not out.exists()


def test_an_exception_nobody_expected_becomes_a_card(window):
    application._hook(window)(ValueError, ValueError("surprise"), None)
    assert window.view.card.isVisible()
    assert "surprise" in window.view.card.text.text()


@pytest.mark.parametrize("colours", [theme.DARK, theme.LIGHT])
def test_every_colour_name_of_the_sheet_is_filled_in(colours):
    sheet = theme.style_sheet(colours, ROOT)
    body = sheet.split("*/", 1)[1]
    assert "@" not in body
    assert "%" not in body


@pytest.mark.parametrize("colours", [theme.DARK, theme.LIGHT])
@pytest.mark.parametrize(
    ("front", "back"),
    [
        ("text", "surface"),
        ("text", "error"),
        ("muted", "surface"),
        ("notice_text", "notice"),
        ("on_accent", "accent"),
    ],
)
def test_texts_are_legible(colours, front, back):
    """WCAG 2.1 contrast: 4.5 for text; 3 for the large bold text on the accent."""
    least = 3.0 if front == "on_accent" else 4.5
    lights = sorted(_luminance(getattr(colours, name)) for name in (front, back))
    assert (lights[1] + 0.05) / (lights[0] + 0.05) >= least


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
