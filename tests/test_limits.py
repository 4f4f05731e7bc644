"""A test that hangs ends the run, with the place at which it hangs, in Qt's event loop as well."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import pytest_collection_modifyitems

_ROOT = Path(__file__).resolve().parent.parent
_HANGS = {
    "python": "import time\n\ndef test_hangs():\n    while True:\n        time.sleep(0.01)\n",
    "event loop": (
        "from PySide6.QtCore import QEventLoop\n\ndef test_hangs(qapp):\n    QEventLoop().exec()\n"
    ),
}


@pytest.mark.parametrize("code", _HANGS.values(), ids=_HANGS.keys())
def test_a_hanging_test_ends_with_its_stack(tmp_path: Path, code: str) -> None:
    (tmp_path / "test_it.py").write_text(code)
    words = ["-m", "pytest", f"--config-file={_ROOT / 'pyproject.toml'}", "--timeout=2"]
    done = subprocess.run(
        [sys.executable, *words, "--rootdir", str(tmp_path), "test_it.py"],
        cwd=tmp_path,
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(_ROOT)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 1
    assert "Timeout" in done.stdout + done.stderr
    assert "in test_hangs" in done.stdout + done.stderr
    assert "random-order-seed" in done.stdout


def test_slow_tests_have_an_hour_unless_they_say_otherwise(request: pytest.FixtureRequest) -> None:
    item = request.node
    pytest_collection_modifyitems(request.config, [item])
    assert item.get_closest_marker("timeout") is None
    item.add_marker(pytest.mark.slow)
    pytest_collection_modifyitems(request.config, [item])
    assert item.get_closest_marker("timeout").args == (3600,)
    item.add_marker(pytest.mark.timeout(7200), append=False)
    pytest_collection_modifyitems(request.config, [item])
    assert item.get_closest_marker("timeout").args == (7200,)
