"""Conventions of the source that neither the linter nor the import contracts can check."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[1]
_MOST_POSITIONAL = 5
_TREES = {
    path.relative_to(_ROOT): ast.parse(path.read_text(encoding="utf-8"))
    for package in ("app", "benchmarks", "core", "tools", "trainer")
    for path in sorted((_ROOT / package).rglob("*.py"))
}
_NOT_SHOWN = {
    "core.cluster.client": "ClusterLost",  # caught where it is raised
    "trainer.data.pair_reader": "EmptySlice",  # the slice is left out
    "app.fuse.pair_loader": "FusionError",  # shown with a button that reads again
    "app.fuse.volume_loader": "FusionError",
}
"""Errors without a remedy, by module."""


def statements(*packages: str) -> Iterator[tuple[str, ast.stmt]]:
    """All statements on module level, with the names of their modules."""
    for path, tree in _TREES.items():
        if path.parts[0] in packages:
            for node in tree.body:
                yield ".".join(path.with_suffix("").parts), node


def classes(*packages: str) -> Iterator[tuple[str, ast.ClassDef]]:
    """All classes on module level, with the names of their modules."""
    for module, node in statements(*packages):
        if isinstance(node, ast.ClassDef):
            yield module, node


def public_types(*packages: str) -> Iterator[tuple[str, str]]:
    """Modules and names of public classes and type aliases."""
    for module, node in statements(*packages):
        if isinstance(node, ast.ClassDef):
            name = node.name
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
        else:
            continue
        if name[0].isupper() and not name.isupper():
            yield module, name


def positional_fields(node: ast.ClassDef) -> list[str]:
    """Fields of a dataclass that its constructor also takes by position."""
    decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
    if not any("dataclass" in text and "kw_only=True" not in text for text in decorators):
        return []
    found = []
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign):
            annotation = ast.unparse(statement.annotation)
            if annotation.endswith("KW_ONLY"):
                break
            if "ClassVar" not in annotation:
                found.append(ast.unparse(statement.target))
    return found


def test_dataclasses_take_at_most_five_fields_by_position():
    seen = {
        f"{module}.{node.name}": len(positional_fields(node))
        for module, node in classes("app", "core", "trainer", "tools", "benchmarks")
    }
    assert seen["core.types.fusion.FusionRequest"] > 0, "fields are found"
    assert {name: count for name, count in seen.items() if count > _MOST_POSITIONAL} == {}


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("@dataclass\nclass A:\n    a: int\n    b: int = 1\n", 2),
        ("@dataclass\nclass A:\n    a: int\n    _: KW_ONLY\n    b: int\n", 1),
        ("@dataclass(frozen=True, kw_only=True)\nclass A:\n    a: int\n", 0),
        ("@dataclass(frozen=True)\nclass A:\n    X: ClassVar[int] = 1\n    a: int\n", 1),
        ("class A:\n    a: int\n", 0),
    ],
)
def test_positional_fields_are_counted(source, count):
    (node,) = ast.parse(source).body
    assert isinstance(node, ast.ClassDef)
    assert len(positional_fields(node)) == count


def test_public_names_of_classes_and_types_are_used_once():
    places: dict[str, list[str]] = {}
    for module, name in public_types("app", "core", "trainer"):
        places.setdefault(name, []).append(module)
    assert places["FusionRequest"] == ["core.types.fusion"], "classes are found"
    assert places["FloatArray"] == ["core.types.arrays"], "aliases are found"
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def kinds_of_errors() -> set[str]:
    """Names of the classes of errors that are shown, but for those with arguments of their own."""
    bases = {
        node.name: {ast.unparse(base).rpartition(".")[2] for base in node.bases}
        for _, node in classes("app", "core", "trainer")
    }
    found = {"FusionError"}
    while more := {name for name, its in bases.items() if its & found} - found:
        found |= more
    own = {
        node.name
        for _, node in classes("app", "core", "trainer")
        if any(isinstance(one, ast.FunctionDef) and one.name == "__init__" for one in node.body)
    }
    return found - own | {"FusionError"}


def without_remedy(tree: ast.AST, kinds: set[str]) -> list[str]:
    """The kinds of errors that are made without saying what to do."""
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or ast.unparse(node.func).rpartition(".")[2] not in kinds:
            continue
        named = [one.value for one in node.keywords if one.arg in ("remedy", None)]
        remedies = [*node.args[2:], *named, *(a for a in node.args if isinstance(a, ast.Starred))]
        if not remedies or (isinstance(remedies[0], ast.Constant) and not remedies[0].value):
            found.append(ast.unparse(node.func))
    return found


def test_errors_say_what_to_do():
    kinds = kinds_of_errors()
    assert {"InputError", "PackError", "ClusterLost"} <= kinds
    assert "SizeMismatch" not in kinds, "it makes its remedy itself"
    seen = {}
    for path, tree in _TREES.items():
        module = ".".join(path.with_suffix("").parts)
        found = [kind for kind in without_remedy(tree, kinds) if _NOT_SHOWN.get(module) != kind]
        if path.parts[0] in ("app", "core", "trainer") and found:
            seen[module] = found
    assert seen == {}


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("raise InputError('x', 'y')", 1),
        ("raise InputError('x', 'y', '')", 1),
        ("raise errors.InputError('x')", 1),
        ("raise InputError('x', 'y', 'Do z.')", 0),
        ("raise InputError('x', remedy='Do z.')", 0),
        ("raise InputError(*given)", 0),
        ("raise ValueError('x')", 0),
    ],
)
def test_errors_without_a_remedy_are_found(source, count):
    assert len(without_remedy(ast.parse(source), {"InputError"})) == count
