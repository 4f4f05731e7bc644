"""Whether the rows of a run are fused with the pack that its earlier rows were fused with."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

from core.batch.manifest import BatchManifest
from core.batch.row_work import OtherPack
from core.errors import Message
from core.printable import valid


class PackCheck:
    """Compares the weights of results with those in the manifest, once in a run. Thread-safe."""

    def __init__(self, manifest: BatchManifest, out: Path) -> None:
        """
        Args:
            out: the output folder, for errors.
        """
        self._manifest, self._out = manifest, out
        self._checked, self._lock = False, threading.Lock()

    def __call__(self, made_by: Mapping[str, str]) -> None:
        """Check the method ("method") and the weights ("weights_sha256") of a result.

        Raises:
            OtherPack: they are others than before.
        """
        with self._lock:
            if self._checked:
                return
            pack = valid(f"{made_by['method']} {made_by.get('weights_sha256', '')}".strip())
            before = self._manifest.meta().get("made by", pack)
            if before != pack:
                raise OtherPack(
                    Message("The batch in {0}", self._out),
                    Message(
                        "it was begun with another pack ({0} then, {1} now)",
                        before[:40],
                        pack[:40],
                    ),
                    Message("Bring that pack back, choose another folder, or begin anew."),
                )
            self._manifest.set_meta(**{"made by": pack})
            self._checked = True
