"""Keys of patients are salted with a salt in the folder of settings: not the real one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def _settings_elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNIFUSION_HOME", str(tmp_path_factory.mktemp("home")))
        yield
