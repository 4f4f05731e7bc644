"""Entries of the command palette other than commands: tasks, methods, pairs, recent files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from app.commands.palette import PaletteEntry
from app.fuse.controller import Controller
from app.fuse.pairs import Pairs
from app.fuse.state import FuseState
from app.i18n.translate import tr, translate
from app.pairs.edits import key_of
from app.preferences.recent_files import RecentPair, RecentPairs
from core.tasks import TASKS


def palette_entries(
    *,
    session: FuseState,
    controller: Controller,
    pairs: Pairs,
    recent: RecentPairs,
    open_recent: Callable[[RecentPair], None],
    show_fuse_page: Callable[[], None],
) -> list[PaletteEntry]:
    """All tasks, methods, recent files and listed pairs; choosing one shows the Fuse page first."""
    found = (
        *_tasks(controller),
        *_methods(session, controller),
        *_recent(recent, open_recent),
        *_pairs(pairs),
    )
    return [replace(entry, run=partial(_run_on, show_fuse_page, entry.run)) for entry in found]


def _run_on(show_page: Callable[[], None], run: Callable[[], object]) -> None:
    show_page()
    run()


def _tasks(controller: Controller) -> Iterator[PaletteEntry]:
    for task in TASKS.values():
        run = partial(controller.set_task, task.name)
        words = f"{task.name} {translate(task.description)}"
        yield PaletteEntry(f"task:{task.name}", translate(task.title), tr("Task"), run, words)


def _methods(session: FuseState, controller: Controller) -> Iterator[PaletteEntry]:
    """Methods of all tasks, those of the current task first."""
    engine, now = session.engine, session.task.name
    if engine is None:
        return
    for task in sorted(TASKS, key=lambda name: name != now):
        for method in engine.methods.get(task, ()):
            kind = tr("Model pack") if method.kind == "pack" else tr("Classical method")
            if task != now:
                kind = f"{kind} · {translate(TASKS[task].title)}"
            run = partial(_choose_method, session, controller, task, method.name)
            title, words = translate(method.title), f"{method.name} {translate(method.summary)}"
            yield PaletteEntry(f"method:{task}:{method.name}", title, kind, run, words)


def _choose_method(session: FuseState, controller: Controller, task: str, method: str) -> None:
    controller.set_task(task)
    session.set_method(method)


def _recent(recent: RecentPairs, run: Callable[[RecentPair], None]) -> Iterator[PaletteEntry]:
    for number, pair in enumerate(recent.all()):
        kind = tr("Opened before")
        yield PaletteEntry(
            f"recent:{number}", pair.label, kind, partial(run, pair), str(pair.a.parent)
        )


def _pairs(pairs: Pairs) -> Iterator[PaletteEntry]:
    kind = tr("Pair")
    for number, match in enumerate(pairs.matches):
        key = key_of(match)
        words = f"{match.folder} {key[0].name} {key[1].name}"
        yield PaletteEntry(f"pair:{number}", match.name, kind, partial(pairs.open, key), words)
