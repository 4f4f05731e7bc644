"""Pages that are created lazily."""

import subprocess
import sys

import pytest

_SCRIPT = """
import sys
from pathlib import Path
from types import SimpleNamespace

from app.shell.page_factory import page_makers
from app.workers import background_import

guarded = {}


def hook(event, arguments):
    if event == "import" and arguments[0] in ("pydicom", "core.io.volumes", "core.io"):
        guarded.setdefault(arguments[0], background_import._readers_guard.locked())


sys.addaudithook(hook)
assert "core.io" not in sys.modules
makers = page_makers(
    session=SimpleNamespace(), controller=None, view=None, engine_factory=None,
    samples=Path(), settings_folder=None, show_fuse_page=None,
)
try:
    makers[sys.argv[1]]()
except Exception:  # there is no session; the modules are imported before that is seen
    pass
assert f"app.{sys.argv[1]}.page" in sys.modules
assert guarded["pydicom"] and all(guarded.values()), guarded
"""


@pytest.mark.parametrize("name", ["batch", "train", "evaluate"])
def test_a_page_imports_no_reader_while_a_worker_does(name: str) -> None:
    """Two threads that import a package and a module of it get one that is half initialised."""
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, name], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
