"""Cards above the table of the Batch workspace: messages, with buttons for the next step."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from app.batch import row_text
from app.batch.controller import BatchController
from app.batch.last_batch import LastBatch
from app.batch.state import Ending
from app.i18n.numbers import number
from app.i18n.translate import plural, translate, translate_all
from app.pairs.edits import PairKey, key_of
from app.widgets.cards import Card, CardStack
from app.widgets.notification import SystemNotification
from core.errors import FusionError
from core.tasks import TASKS

_NAMED = 6
"""Rows that are named on a card, at most."""


class BatchCards(CardStack):
    """Shows at most one card of each kind."""

    problems_wanted = Signal()
    """The user asked for the failed rows."""

    def __init__(
        self, batch: BatchController, notice: SystemNotification, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._batch, self._notice = batch, notice
        self._declined_tasks: set[str] = set()
        """Suggested tasks that the user declined."""
        batch.ended.connect(self._ended)
        batch.failed.connect(self._show_error)
        batch.unfinished_found.connect(self._offer)
        for changed in (batch.pairing_changed, batch.choices_changed, batch.phase_changed):
            changed.connect(self.show_task)

    def show_text(self, name: str, text: str) -> None:
        """Show ``text`` on the card ``name``, with an OK button."""
        card = self.add(name, Card(text, (("ok", self.tr("OK")),), "alert-outline"))
        card.answered.connect(lambda _answer: self.remove(name))

    # --- what the output folder holds ---------------------------------------------------

    def show_found(self) -> None:
        """Show which run is recorded in the output folder, if any."""
        found = self._batch.planned.found
        if found is None or self._batch.is_busy or self._batch.choices.anew:
            self.remove("found")
            return
        answers: tuple[tuple[str, str], ...]
        anew = ("anew", self.tr("Begin anew"))
        share = row_text.share_text(found.done, found.total)
        if self._batch.planned.error is not None:
            self.remove("end")
            text = self.tr("This folder holds another batch ({0}): {1}.")
            text = text.format(share, "; ".join(translate_all(found.differences)))
            answers = (("settings", self.tr("Use its settings")), anew)
        elif found.is_over:
            text = plural(
                "The one pair of the batch in this folder is done.",
                "All {0} pairs of the batch in this folder are done.",
                found.total,
            ).format(number(found.total, ","))
            answers = (anew,)
        else:
            text = self.tr("The batch in this folder is not finished: {0}.").format(share)
            answers = (("go", self.tr("Go on")), anew)
        text = f"{text}{self._changed(found)}"
        if found.adopted and self._batch.planned.error is None:
            more = self.tr("Changed for what is not done yet: {0}.")
            text = f"{text} {more.format('; '.join(translate_all(found.adopted)))}"
        if "end" not in self.cards:
            self.add("found", Card(text, answers, "history")).answered.connect(self._answer)

    def _changed(self, found: Any) -> str:
        if not found.changed:
            return ""
        more = plural(
            "Sources of {0} of them changed since; it is fused again.",
            "Sources of {0} of them changed since; those are fused again.",
            found.changed,
        )
        return " " + more.format(number(found.changed, ","))

    def _answer(self, answer: str) -> None:
        found = self._batch.planned.found
        if answer == "go":
            self._batch.start()
        elif answer == "anew":
            self._batch.begin_anew()
        elif found is not None:
            self._batch.set_choices(self._batch.choices.with_settings(found.settings))

    # --- the task ---------------------------------------------------------------------------

    def show_task(self) -> None:
        """Offer the task that the file names suggest, where another one is chosen."""
        batch = self._batch
        hint = batch.pairing.suggested_task if batch.pairing is not None else ""
        wrong = bool(hint) and hint != batch.choices.task and hint not in self._declined_tasks
        if not wrong or batch.is_busy:
            self.remove("task")
            return
        title, chosen = (translate(TASKS[name].title) for name in (hint, batch.choices.task))
        text = self.tr("By their names these are pairs for “{0}”; “{1}” is chosen.")
        answers = (("use", self.tr("Use “{0}”").format(title)), ("keep", self.tr("Keep")))
        card = Card(text.format(title, chosen), answers, "lightbulb-outline")
        self.add("task", card).answered.connect(partial(self._task_answered, hint))

    def _task_answered(self, hint: str, answer: str) -> None:
        if answer == "use":
            self._batch.set_choices(replace(self._batch.choices, task=hint, method=""))
        else:
            self._declined_tasks.add(hint)
            self.remove("task")

    # --- the end of a run ----------------------------------------------------------------

    def _ended(self, ending: Ending) -> None:
        if ending.finished is not None:
            self._show_finished(ending.finished)
            self._offer_resampling()
        elif ending.error is not None:
            self._show_error(ending.error)
            self._notice.notify(self.tr("Batch stopped"), translate(ending.error.message))
        else:
            self.show_text(
                "end", self.tr("Stopped. What is done stays done; “Go on” does the rest.")
            )

    def _show_finished(self, report: Any) -> None:
        from core.batch.report import METRICS_NAME  # imported already, as there was a run

        told = (*self._registrations(), *self._losses())
        text = ", ".join((row_text.ended_text(report.tally), *told))
        rows = self._batch.rows
        bad = report.tally.failed + len(rows.unregistered)
        answers = [("folder", self.tr("Open folder"))]
        sheets = [path for path in report.files if path.suffix == ".html"]
        tables = [path for path in report.files if path.name == METRICS_NAME]
        if sheets:
            answers.append(("sheet", self.tr("Contact sheet")))
        if tables:
            answers.append(("table", self.tr("Table of metrics")))
        if bad:
            answers.append(("failed", self.tr("Show failed")))
        elif rows.doubtful:
            answers.append(("failed", self.tr("Show doubtful")))
        answers.append(("ok", self.tr("OK")))
        warned = bad or rows.doubtful or rows.lost
        icon = "alert-outline" if warned else "check-circle-outline"
        lines = [self.tr("The batch has ended: {0}.").format(text), *self._named_rows()]
        card = self.add("end", Card("\n".join(lines), tuple(answers), icon))
        folder = self._batch.choices.folder or Path()
        places = {"folder": [folder], "sheet": sheets, "table": tables}
        card.answered.connect(partial(self._finished_answered, places))
        self._notice.notify(self.tr("Batch finished"), text)

    def _registrations(self) -> Iterator[str]:
        """How many registrations are doubtful, and how many failed although the pair was fused."""
        rows = self._batch.rows
        doubtful, failed = (len(keys) for keys in (rows.doubtful, rows.unregistered))
        if doubtful:
            text = plural(
                "{0} registration is doubtful", "{0} registrations are doubtful", doubtful
            )
            yield text.format(number(doubtful, ","))
        if failed:
            text = plural(
                "{0} registration failed (fused as it lies)",
                "{0} registrations failed (fused as they lie)",
                failed,
            )
            yield text.format(number(failed, ","))

    def _losses(self) -> Iterator[str]:
        """In how many results much is lost."""
        count = len(self._batch.rows.lost)
        if count:
            text = plural("much is lost in {0} result", "much is lost in {0} results", count)
            yield text.format(number(count, ","))

    def _named_rows(self) -> Iterator[str]:
        """Lines with the names of the rows that somebody should look at."""
        rows = self._batch.rows
        failed = [key for key, row in rows.items() if row.state == "failed"]
        for title, keys in (
            (self.tr("Failed: {0}"), failed),
            (self.tr("Not registered: {0}"), rows.unregistered),
            (self.tr("Doubtful: {0}"), rows.doubtful),
            (self.tr("Much is lost: {0}"), rows.lost),
        ):
            if keys:
                yield title.format(self._names(keys))

    def _names(self, keys: Collection[PairKey]) -> str:
        """The names of pairs, the first ones where there are many."""
        wanted, pairing = set(keys), self._batch.pairing
        matches = pairing.matches if pairing is not None else ()
        names = [match.name for match in matches if key_of(match) in wanted]
        text = ", ".join(names[:_NAMED])
        if len(names) > _NAMED:
            more = number(len(names) - _NAMED, ",")
            text = self.tr("{0} and {1} more").format(text, more)
        return text

    def _finished_answered(self, places: dict[str, list[Path]], answer: str) -> None:
        if answer in places:
            for path in places[answer]:
                self.open_path(path)
        elif answer == "failed":
            self.problems_wanted.emit()
        else:
            self.remove("end")

    def _offer_resampling(self) -> None:
        """Offer to resample B where pairs failed only because their sizes differ."""
        number_of = len(self._batch.rows.of_other_size)
        if not number_of:
            return
        text = plural(
            "{0} pair failed because the sizes of A and B differ.",
            "{0} pairs failed because the sizes of A and B differ.",
            number_of,
        ).format(number(number_of, ","))
        answers = (("resample", self.tr("Resample B and go on")), ("no", self.tr("No, thanks")))
        card = self.add("sizes", Card(text, answers, "alert-outline"))
        card.answered.connect(self._resampling_answered)

    def _resampling_answered(self, answer: str) -> None:
        self.remove("sizes")
        if answer == "resample":
            self._batch.set_resample(self._batch.rows.of_other_size, True, start=True)

    def open_path(self, path: Path) -> None:
        """Open a file or folder in its default application."""
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.absolute()))):
            self.show_text("open", self.tr("The system has no program to open {0}").format(path))

    def _show_error(self, error: FusionError) -> None:
        self.show_text("error", translate(error.message))

    # --- the last batch ------------------------------------------------------------------

    def _offer(self, last: LastBatch) -> None:
        done = last.found.done if last.found is not None else 0
        total = last.found.total if last.found is not None else len(last.pairing.active)
        text = self.tr("The last batch was not finished: {0}, in {1}.")
        text = text.format(row_text.share_text(done, total), last.choices.out)
        if last.found is not None:
            text = f"{text}{self._changed(last.found)}"
        answers = (
            ("go", self.tr("Go on")),
            ("show", self.tr("Show")),
            ("no", self.tr("No, thanks")),
        )
        card = self.add("unfinished", Card(text, answers, "history"))
        card.answered.connect(partial(self._offered, last))

    def _offered(self, last: LastBatch, answer: str) -> None:
        self.remove("unfinished")
        if answer != "no":
            self._batch.restore(last, start=answer == "go")
