"""What decides how the results of a batch look: plain values, quick to import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass

from core.types import BitDepth
from core.windows import Window, Windows

DEFAULT_TEMPLATE = "{name}"
AS_SOURCES = "as the sources"

FLAGS: Mapping[str, str] = {
    "keep_tree": "folder tree",
    "resample": "resample",
    "reconstructions": "reconstructions",
    "figures": "figures",
    "metrics": "metrics",
}
"""Yes-or-no settings that make results differ, with their names in the record of a run."""

WINDOWS: Mapping[str, str] = {"window_a": "window of A", "window_b": "window of B"}
"""Windows by hand, with their names in the record of a run, which has them only where chosen."""
OF_ROWS: frozenset[str] = frozenset((FLAGS["resample"],))
"""Settings, by their names in the record, that decide whether a row can be done and not how all of
them look: they may change between two sittings of one run, or for single rows."""


@dataclass(frozen=True)
class BatchSettings:
    """What people choose, whether in the window or on the command line.

    Attributes:
        task, method: as in :class:`core.types.FusionRequest`.
        template: name of a result, fields of :data:`core.batch.naming.FIELDS`; may end in a suffix.
        format: suffix without dot; "" for that of the template, else PNG.
        depth: 8, 16 or 32 bits; None for the deeper of the two sources.
        keep_tree: repeat the folders of the sources below the output folder.
        overwrite: replace files that are there.
        resample: bring B onto A where sizes differ, instead of failing the row.
        reconstructions, figures, metrics, contact_sheet: what is made besides.
        window_a, window_b: black and white of every A and B, in their own numbers; None for what
            each file's values give (:mod:`core.io.values`).
    """

    task: str
    method: str = ""
    _: KW_ONLY
    template: str = DEFAULT_TEMPLATE
    format: str = ""
    depth: BitDepth | None = None
    keep_tree: bool = True
    overwrite: bool = False
    resample: bool = False
    reconstructions: bool = False
    figures: bool = False
    metrics: bool = False
    contact_sheet: bool = False
    window_a: Window | None = None
    window_b: Window | None = None

    @property
    def windows(self) -> Windows:
        """Those of A and of B."""
        return self.window_a, self.window_b
