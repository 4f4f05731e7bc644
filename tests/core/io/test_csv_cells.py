"""Cells of tables: no text is taken for a formula, no number becomes a text."""

from __future__ import annotations

import csv
import io
import os

import pytest

from core.io.csv_cells import cell, csv_text


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("=cmd|'/c calc'!A1", "'=cmd|'/c calc'!A1"),
        ("+1+1", "'+1+1"),
        ("-2EV_room", "'-2EV_room"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\tx"),
        ("\r=x", "'\r=x"),
        ("\n=x", "'\n=x"),
        ("＝x", "'＝x"),
        ("-", "'-"),
        ("-1.5", "-1.5"),
        ("+3", "+3"),
        ("-0.000001", "-0.000001"),
        ("-1e-05", "-1e-05"),
        ("-inf", "-inf"),
        (-1.5, "-1.5"),
        (7, "7"),
        ("a=b", "a=b"),
        ("", ""),
        ("ü", "ü"),
        (os.fsdecode(b"\xff.png"), "\\udcff.png"),
    ],
)
def test_cells(value: object, wanted: str) -> None:
    assert cell(value) == wanted


def test_a_table_comes_back() -> None:
    rows = [["name", "MI"], ["=1+1", "-0.5"], ['say "hi", there\nagain', 2]]
    found = list(csv.reader(io.StringIO(csv_text(rows))))
    assert found == [["name", "MI"], ["'=1+1", "-0.5"], ['say "hi", there\nagain', "2"]]
    assert csv_text([["a", "=b"]], delimiter="\t") == "a\t'=b\n"
