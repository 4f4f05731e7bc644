"""Names in the documents for contributors exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parent.parent
_DOCUMENTS = sorted(
    [_ROOT / "ARCHITECTURE.md", _ROOT / "CONTRIBUTING.md", *(_ROOT / "docs").rglob("*.md")]
)
_STOREYS = ("app", "core", "trainer", "tools", "tests", "benchmarks", "resources", "docs")
_CODE = re.compile(r"`([^`\n]+)`")
_NAME = re.compile(rf"(?:{'|'.join(_STOREYS)})(?:\.\w+)+")
_PATH = re.compile(rf"(?:{'|'.join(_STOREYS)})(?:/[\w.-]+)+/?")
_LINK = re.compile(r"\]\(([^)#:]+)\)")
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_EXAMPLES = (
    "pif",
    "farbfeld",
    "contrast",
    "median",
    "i18n/fr",
    "LANGUAGE",
    "test_french",
    "merge_convolutions",
)
"""What the walks in ``docs/extending`` add."""


def _prose(document: Path) -> str:
    return _FENCE.sub("", document.read_text("utf-8"))


def _members(body: list[ast.stmt]) -> dict[str, list[ast.stmt]]:
    found: dict[str, list[ast.stmt]] = {}
    for node in body:
        if isinstance(node, ast.ClassDef):
            found[node.name] = node.body
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found[node.name] = []
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found[node.target.id] = []
        elif isinstance(node, ast.Assign):
            found |= {target.id: [] for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name: [] for alias in node.names}
    return found


def _exists(name: str) -> bool:
    """Whether a dotted name is a package, a module, or something a module or class defines."""
    parts = name.split(".")
    path = _ROOT
    while parts and (path / parts[0]).is_dir():
        path /= parts.pop(0)
    if parts and (path / f"{parts[0]}.py").is_file():
        path /= f"{parts.pop(0)}.py"
    else:
        path /= "__init__.py"
    if not parts:
        return path.parent.is_dir()
    if not path.is_file():
        return False
    body = ast.parse(path.read_text("utf-8")).body
    for part in parts:
        members = _members(body)
        if part not in members:
            return False
        body = members[part]
    return True


@pytest.mark.parametrize("document", _DOCUMENTS, ids=lambda path: path.name)
def test_names_and_paths_exist(document: Path) -> None:
    missing = []
    for code in _CODE.findall(_prose(document)):
        if any(example in code for example in _EXAMPLES):
            continue
        missing += [name for name in _NAME.findall(code) if "/" not in code and not _exists(name)]
        missing += [path for path in _PATH.findall(code) if not (_ROOT / path).exists()]
    missing += [
        link
        for link in _LINK.findall(_prose(document))
        if not link.startswith("http") and not (document.parent / link).exists()
    ]
    assert missing == []


def test_a_wrong_name_is_found() -> None:
    assert _exists("core.io.pairs.read_pair")
    assert _exists("core.batch")
    assert _exists("trainer.run.trainer.Trainer.advance")
    assert not _exists("core.io.pairs.read_pairs")
    assert not _exists("core.nowhere")
    assert not _exists("trainer.run.trainer.Trainer.retreat")


def test_every_decision_is_listed_once() -> None:
    folder = _ROOT / "docs" / "decisions"
    listed = _LINK.findall((folder / "README.md").read_text("utf-8"))
    assert listed == sorted(path.name for path in folder.glob("0*.md"))
    numbers = [name[:4] for name in listed]
    # A number may be missing while it is reserved for work that is not in yet.
    assert numbers == sorted(set(numbers))


def test_decisions_that_are_cited_exist() -> None:
    known = {path.name[:4] for path in (_ROOT / "docs" / "decisions").glob("0*.md")}
    for document in _DOCUMENTS:
        assert {*re.findall(r"decision (\d{4})", _prose(document))} <= known, document
