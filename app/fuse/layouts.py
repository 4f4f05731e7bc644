"""The grid positions of the panes in each layout."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtWidgets import QGridLayout, QWidget

from app.viewer.display_state import Layout

GridPosition = tuple[int, int, int, int]
"""Row, column, row span, column span."""

PLACES: dict[Layout, dict[str, GridPosition]] = {
    "all": {
        "a": (0, 0, 1, 1),
        "b": (0, 1, 1, 1),
        "fused": (0, 2, 1, 1),
        "recon_a": (1, 0, 1, 1),
        "recon_b": (1, 1, 1, 1),
        "features": (1, 2, 1, 1),
    },
    "row": {"a": (0, 0, 1, 1), "b": (0, 1, 1, 1), "fused": (0, 2, 1, 1)},
    "focus": {"fused": (0, 0, 2, 2), "a": (0, 2, 1, 1), "b": (1, 2, 1, 1)},
    "single": {"fused": (0, 0, 1, 1)},
    # Of images, which have no planes; of volumes see app.fuse.planes_board.
    "planes": {"a": (0, 0, 1, 1), "b": (0, 1, 1, 1), "fused": (0, 2, 1, 1)},
    # Without results; with them see app.fuse.results_board.
    "results": {"a": (0, 0, 1, 1), "b": (0, 1, 1, 1), "fused": (0, 2, 1, 1)},
}


def arrange(grid: QGridLayout, panes: Mapping[str, QWidget], layout: Layout, alone: str) -> None:
    """Place the panes of a layout and hide the others.

    Args:
        alone: the name of a pane to show by itself; "" for the whole layout.
    """
    places = {alone: (0, 0, 1, 1)} if alone else PLACES[layout]
    for name, pane in panes.items():
        grid.removeWidget(pane)
        pane.setVisible(name in places)
    for name, place in places.items():
        grid.addWidget(panes[name], *place)
    # An empty row keeps its share of the height unless its stretch is reset.
    rows = {row + k for row, _, tall, _ in places.values() for k in range(tall)}
    columns = {column + k for _, column, _, wide in places.values() for k in range(wide)}
    for row in range(grid.rowCount()):
        grid.setRowStretch(row, int(row in rows))
    for column in range(grid.columnCount()):
        grid.setColumnStretch(column, int(column in columns))
