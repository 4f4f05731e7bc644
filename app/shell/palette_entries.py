"""What the command palette finds beside commands: tasks, methods, pairs, files opened before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from app.commands.palette import Find
from app.i18n.translate import translate
from app.pairs.edits import key_of
from app.preferences.recent_files import RecentPair
from core.tasks import TASKS

if TYPE_CHECKING:
    from app.shell.main_window import MainWindow


def _tr(text: str) -> str:
    return QCoreApplication.translate("finds", text)


def finds_of(window: MainWindow, open_recent: Callable[[RecentPair], None]) -> list[Find]:
    """Everything a window can be asked for by name; what is chosen is shown on the Fuse page."""
    found = [*_tasks(window), *_methods(window), *_recent(window, open_recent), *_pairs(window)]
    return [Find(f.id, f.title, f.kind, partial(_there, window, f.run), f.words) for f in found]


def _there(window: MainWindow, run: Callable[[], object]) -> None:
    window.workspaces.show_page("fuse")
    run()


def _tasks(window: MainWindow) -> Iterator[Find]:
    for task in TASKS.values():
        run = partial(window.controller.set_task, task.name)
        words = f"{task.name} {translate(task.description)}"
        yield Find(f"task:{task.name}", translate(task.title), _tr("Task"), run, words)


def _methods(window: MainWindow) -> Iterator[Find]:
    """Those of the task on show first."""
    engine, now = window.session.engine, window.session.task.name
    if engine is None:
        return
    for task in sorted(TASKS, key=lambda name: name != now):
        for method in engine.methods.get(task, ()):
            kind = _tr("Model pack") if method.kind == "pack" else _tr("Classical method")
            if task != now:
                kind = f"{kind} · {translate(TASKS[task].title)}"
            run = partial(_choose_method, window, task, method.name)
            title, words = translate(method.title), f"{method.name} {translate(method.summary)}"
            yield Find(f"method:{task}:{method.name}", title, kind, run, words)


def _choose_method(window: MainWindow, task: str, method: str) -> None:
    window.controller.set_task(task)
    window.session.set_method(method)


def _recent(window: MainWindow, run: Callable[[RecentPair], None]) -> Iterator[Find]:
    for number, pair in enumerate(window.habits.recent.all()):
        kind = _tr("Opened before")
        yield Find(f"recent:{number}", pair.label, kind, partial(run, pair), str(pair.a.parent))


def _pairs(window: MainWindow) -> Iterator[Find]:
    kind = _tr("Pair")
    for number, match in enumerate(window.pairs.matches):
        key = key_of(match)
        words = f"{match.folder} {key[0].name} {key[1].name}"
        yield Find(f"pair:{number}", match.name, kind, partial(window.pairs.open, key), words)
