"""Finds every text of the window that is to be translated, in the code itself.

Qt's own lupdate reads Python too, but it does not see the contexts of helper functions; this reads
the syntax tree, and can say as well which texts it could not read.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, order=True)
class Text:
    """A text in English, and the context Qt looks it up in."""

    context: str
    source: str


@dataclass(frozen=True)
class Unread:
    """A call whose text is no literal, so that it cannot be looked up."""

    file: str
    line: int
    code: str


class _Module:
    """The contexts of one module: its classes, and its functions that translate for it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tree = ast.parse(path.read_text(encoding="utf-8"))
        self.helpers = dict(_helpers(self.tree))
        classes = [node.name for node in self.tree.body if isinstance(node, ast.ClassDef)]
        self.main_class = classes[0] if classes else path.stem

    def imported(self, modules: dict[str, _Module]) -> dict[str, str]:
        """Helpers this module takes from others, with their contexts."""
        found = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and node.module in modules:
                theirs = modules[node.module].helpers
                for alias in node.names:
                    if alias.name in theirs:
                        found[alias.asname or alias.name] = theirs[alias.name]
        return found


def _helpers(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Functions of one text that hand it to ``QCoreApplication.translate``, with its context."""
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef) or len(node.args.args) != 1:
            continue
        for call in ast.walk(node):
            if _is_translate(call) and isinstance(call.args[1], ast.Name):  # type: ignore[attr-defined]
                yield node.name, ast.literal_eval(call.args[0])  # type: ignore[attr-defined]


def _is_translate(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "translate"
        and len(node.args) >= 2
        and isinstance(node.args[0], ast.Constant)
    )


def find(root: Path, package: str = "app") -> tuple[set[Text], list[Unread]]:
    """All texts of a package, and the calls that could not be read.

    ``self.tr(…)`` is of the class it stands in; ``other.tr(…)`` outside a class is of the first
    class of its module.
    """
    modules = {
        ".".join(path.relative_to(root).with_suffix("").parts): _Module(path)
        for path in sorted((root / package).rglob("*.py"))
    }
    texts: set[Text] = set()
    unread: list[Unread] = []
    for module in modules.values():
        helpers = {**module.imported(modules), **module.helpers}
        for context, call, text in _calls(module, helpers):
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                texts.add(Text(context, text.value))
            else:
                file = str(module.path.relative_to(root))
                unread.append(Unread(file, call.lineno, ast.unparse(call)))
    return texts, unread


def _calls(module: _Module, helpers: dict[str, str]) -> Iterator[tuple[str, ast.Call, ast.expr]]:
    """Context, call and text of every call that translates."""
    for node, owner in _with_owner(module.tree, module.main_class):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr == "tr":
            yield owner, node, node.args[0]
        elif isinstance(function, ast.Name) and function.id in helpers:
            yield helpers[function.id], node, node.args[0]
        elif _is_translate(node) and not _inside_helper(node, module):
            yield ast.literal_eval(node.args[0]), node, node.args[1]


def _with_owner(node: ast.AST, owner: str) -> Iterator[tuple[ast.AST, str]]:
    for child in ast.iter_child_nodes(node):
        inner = child.name if isinstance(child, ast.ClassDef) else owner
        yield child, inner
        yield from _with_owner(child, inner)


def _inside_helper(call: ast.Call, module: _Module) -> bool:
    return any(
        call is inner
        for node in module.tree.body
        if isinstance(node, ast.FunctionDef) and node.name in module.helpers
        for inner in ast.walk(node)
    )
