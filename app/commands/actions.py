"""All commands of the window, with their shortcuts."""

from __future__ import annotations

from functools import partial

from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from app.commands.registry import Command, CommandRegistry
from app.i18n import language
from app.widgets import theme

PRESETS = 9
"""Number of window presets with a shortcut, 1 to 9."""


class Actions(CommandRegistry):
    """The window's commands, from which menus, top bar, shortcut list and palette are built.

    A command is implemented by connecting to its action's ``triggered`` (or ``toggled``); commands
    without connections are hidden and have no shortcuts (see
    :meth:`CommandRegistry.retire_unwired`). :meth:`CommandRegistry.provide` is told what is
    available: “sources” (at least one), “pair”, “outcome”, “export” (that, or volumes), “results”
    (of the pair), “pairs” (a list of several), “panes” (they are shown), “volume”, “running”,
    “undo”, “redo”, “session”,
    “some-regions” (in the list), “region” (one is selected),
    “segments” (some can be written as DICOM),
    “files” (two sources that can be aligned), “aligning” (they are), “pictures” (no volumes),
    and the names of :attr:`of_pages`.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._add_file()
        self._add_fuse()
        self._add_align()
        self._add_compare()
        self._add_display()
        self._add_view()
        self._add_pairs()
        self._add_evaluation()
        self._add_workspaces()
        self._add_regions()
        self._add_tools()
        self._add_choices()
        self._add_help()
        theme.set_icon(self.fuse, "play", "on_accent")
        for action in self.actions():
            window.addAction(action)

    def all(self) -> list[QAction]:
        """Every action, in menu order."""
        return self.actions()

    def _make(
        self,
        name: str,
        text: str,
        keys: tuple[str, ...] = (),
        *,
        icon: str = "",
        needs: str = "",
        checkable: bool = False,
        repeats: bool = False,
    ) -> QAction:
        group = self._group_titles()[name.partition(".")[0]]
        wants = frozenset(needs.split())
        return self.add(
            Command(
                name,
                text,
                group,
                keys,
                icon=icon,
                needs=wants,
                checkable=checkable,
                repeats=repeats,
            )
        )

    def _group_titles(self) -> dict[str, str]:
        return {
            "file": self.tr("File"),
            "fuse": self.tr("Fuse"),
            "align": self.tr("Align"),
            "compare": self.tr("Compare"),
            "display": self.tr("Display"),
            "view": self.tr("View"),
            "pairs": self.tr("Pairs"),
            "evaluate": self.tr("Evaluate"),
            "workspace": self.tr("Workspaces"),
            "regions": self.tr("Regions and figures"),
            "tools": self.tr("Tools"),
            "appearance": self.tr("Appearance"),
            "language": self.tr("Language"),
            "help": self.tr("Help"),
        }

    # --- the commands ----------------------------------------------------------------------

    def _add_file(self) -> None:
        make = self._make
        self.open = make("file.open", self.tr("Open…"), ("Ctrl+O",), icon="folder-open-outline")
        folder = self.tr("Open folder…")
        self.open_folder = make("file.open_folder", folder, ("Ctrl+Shift+O",))
        sample = self.tr("Open sample pair")
        self.sample = make("file.sample", sample, icon="image-multiple-outline")
        self.restore = make("file.restore", self.tr("Reopen last session"), needs="session")
        reopens = self.tr("Reopen it at every start")
        self.reopens = make("file.reopens", reopens, checkable=True)
        close = self.tr("Close pictures")
        self.close_pictures = make("file.close", close, ("Ctrl+W",), needs="sources")
        save, icon = self.tr("Save fused…"), "content-save-outline"
        self.save = make("file.save", save, ("Ctrl+S",), icon=icon, needs="outcome")
        export = self.tr("Export…")
        self.export = make("file.export", export, ("Ctrl+E",), icon="export", needs="export")
        report = self.tr("Report…")
        self.report = make("file.report", report, ("Ctrl+Shift+P",), needs="volume")
        archive = self.tr("Archive…")
        self.archive = make("file.archive", archive, icon="archive-search-outline")
        self.send_archive = make("file.send_archive", self.tr("Send to archive…"))
        self.copy = make("file.copy", self.tr("Copy fused picture"), ("Ctrl+C",), needs="outcome")
        self.quit = make("file.quit", self.tr("Quit"), ("Ctrl+Q",))

    def _add_fuse(self) -> None:
        make = self._make
        self.fuse = make("fuse.run", self.tr("Fuse"), ("Return", "Enter"), needs="pair")
        self.cancel = make("fuse.cancel", self.tr("Cancel"), ("Esc",), icon="close")
        swap = self.tr("Swap A and B")
        self.swap = make("fuse.swap", swap, ("Ctrl+T",), icon="swap-horizontal", needs="sources")
        on_change = self.tr("Fuse again when a window or palette changes")
        self.fuse_on_change = make("fuse.on_change", on_change, checkable=True)

    def _add_align(self) -> None:
        make = self._make
        needs = "files panes"
        self.align = make(
            "align.start", self.tr("Align A and B"), ("A",), needs=needs, checkable=True
        )
        self.register_pair = make(
            "align.register", self.tr("Register automatically"), ("Ctrl+R",), needs=needs
        )
        needs = "aligning panes"
        accept = self.tr("Accept alignment")
        self.accept_alignment = make("align.accept", accept, ("Ctrl+Return",), needs=needs)
        self.reset_alignment = make("align.reset", self.tr("Reset alignment"), needs=needs)
        before = self.tr("Show before alignment")
        self.show_before = make("align.before", before, ("V",), needs=needs, checkable=True)
        points = self.tr("Mark points")
        self.mark_points = make("align.points", points, ("N",), needs=needs, checkable=True)
        self.import_transform = make("align.import", self.tr("Import transform…"), needs=needs)
        self.export_transform = make("align.export", self.tr("Export transform…"), needs=needs)
        flat = "aligning pictures panes"
        self.keep_rig = make("align.keep_rig", self.tr("Keep as a rig…"), needs=flat)
        check = self.tr("Look whether new pairs are shifted")
        self.check_alignment = make("align.check", check, checkable=True)

    def _add_compare(self) -> None:
        make = self._make
        needs = "panes"
        switch = partial(make, needs=needs, checkable=True)
        self.curtain = switch("compare.curtain", self.tr("Curtain"), ("C",))
        self.blink = switch("compare.blink", self.tr("Blink (hold)"), ("B",))
        self.checkerboard = switch("compare.checkerboard", self.tr("Checkerboard"), ("K",))
        self.difference = switch("compare.difference", self.tr("Difference"), ("D",))
        # Its text depends on the state; see app.fuse.display_commands.
        self.overlay = make("compare.overlay", self.tr("Show overlay"), ("W",), needs=needs)
        less, more = self.tr("Overlay less opaque"), self.tr("Overlay more opaque")
        self.less_opaque = make("compare.less_opaque", less, ("Q",), needs=needs, repeats=True)
        self.more_opaque = make("compare.more_opaque", more, ("E",), needs=needs, repeats=True)

    def _add_display(self) -> None:
        make = self._make
        undo, redo = self.tr("Undo display change"), self.tr("Redo display change")
        self.undo = make(
            "display.undo", undo, ("Ctrl+Z",), icon="undo", needs="undo panes", repeats=True
        )
        keys = ("Ctrl+Y", "Ctrl+Shift+Z")
        self.redo = make("display.redo", redo, keys, icon="redo", needs="redo panes", repeats=True)
        self.invert = make("display.invert", self.tr("Invert grey values"), ("I",), needs="sources")
        self.presets = tuple(
            make(
                f"display.preset_{number}",
                self.tr("Window preset {0}").format(number),
                (str(number),),
                needs="sources",
            )
            for number in range(1, PRESETS + 1)
        )

    def _add_view(self) -> None:
        make = self._make
        fit, actual = self.tr("Fit pictures"), self.tr("Actual size (1:1)")
        keys = ("R", "Ctrl+0")
        self.fit = make("view.fit", fit, keys, icon="fit-to-screen-outline", needs="sources")
        self.one_to_one = make("view.actual", actual, ("Z",), needs="sources")
        maximise, needs = self.tr("Maximise pane"), "panes"
        self.maximise = make("view.maximise", maximise, ("F",), icon="arrow-expand", needs=needs)
        magnifier, crosshair = self.tr("Magnifier"), self.tr("Crosshair")
        side_by_side = self.tr("All results side by side")
        self.side_by_side = make(
            "view.results", side_by_side, ("G",), needs="results", checkable=True
        )
        self.magnifier = make("view.magnifier", magnifier, ("M",), needs=needs, checkable=True)
        self.crosshair = make("view.crosshair", crosshair, ("X",), needs=needs, checkable=True)
        lost, needs = self.tr("Outline what fusion lost"), "outcome panes"
        self.lost = make("view.lost", lost, ("L",), needs=needs, checkable=True)

    def _add_pairs(self) -> None:
        make = self._make
        self.previous_pair = make(
            "pairs.previous", self.tr("Previous pair"), ("PgUp",), needs="pairs", repeats=True
        )
        self.next_pair = make(
            "pairs.next", self.tr("Next pair"), ("PgDown",), needs="pairs", repeats=True
        )
        self.previous_patient = make(
            "pairs.previous_patient", self.tr("Previous patient"), ("Ctrl+Up",), needs="pairs"
        )
        self.next_patient = make(
            "pairs.next_patient", self.tr("Next patient"), ("Ctrl+Down",), needs="pairs"
        )
        slices = (
            ("previous_slice", -1, self.tr("Previous slice"), "Up"),
            ("next_slice", 1, self.tr("Next slice"), "Down"),
            ("back_ten_slices", -10, self.tr("Ten slices back"), "Shift+Up"),
            ("on_ten_slices", 10, self.tr("Ten slices on"), "Shift+Down"),
        )
        self.slices = {
            by: make(f"pairs.{name}", text, (key,), needs="volume", repeats=True)
            for name, by, text, key in slices
        }
        """By how many slices each goes on."""
        self.cine = make("view.cine", self.tr("Play slices"), ("P",), needs="volume")
        mark, onward = self.tr("Mark as key image"), self.tr("Next key image")
        self.key_image = make("view.key_image", mark, ("J",), needs="volume")
        self.next_key_image = make("view.next_key_image", onward, ("Shift+J",), needs="volume")
        planes = (
            ("axial", self.tr("Axial plane"), "Alt+1"),
            ("coronal", self.tr("Coronal plane"), "Alt+2"),
            ("sagittal", self.tr("Sagittal plane"), "Alt+3"),
        )
        self.planes = {
            name: make(f"view.{name}", text, (key,), needs="volume") for name, text, key in planes
        }

    def _add_evaluation(self) -> None:
        made = (
            ("evaluate.run", self.tr("Evaluate methods"), "F5", "play"),
            ("evaluate.cancel", self.tr("Cancel evaluation"), "Shift+F5", "close"),
            ("evaluate.open", self.tr("Open pair with all results"), "Ctrl+Shift+F", ""),
            ("evaluate.export", self.tr("Export report…"), "Ctrl+Shift+E", "export"),
        )
        self.of_pages = {
            name: self._make(name, text, (key,), icon=icon, needs=name)
            for name, text, key, icon in made
        }
        """Commands that a page carries out; available while it offers them."""

    def _add_workspaces(self) -> None:
        titles = (
            ("fuse", self.tr("Fuse workspace")),
            ("batch", self.tr("Batch workspace")),
            ("train", self.tr("Train workspace")),
            ("evaluate", self.tr("Evaluate workspace")),
        )
        self.workspaces = {
            name: self._make(f"workspace.{name}", title, (f"Ctrl+{number}",))
            for number, (name, title) in enumerate(titles, 1)
        }

    def _add_regions(self) -> None:
        make = self._make
        start, needs = self.tr("Regions and figures"), "pair panes"
        self.regions = make("regions.start", start, ("O",), needs=needs, checkable=True)
        tools = (
            ("select", self.tr("Select and move regions"), "Shift+V"),
            ("ellipse", self.tr("Draw an ellipse"), "Shift+E"),
            ("rectangle", self.tr("Draw a rectangle"), "Shift+R"),
            ("freehand", self.tr("Draw freehand"), "Shift+F"),
            ("sphere", self.tr("Draw a sphere"), "Shift+S"),
            ("threshold", self.tr("Threshold in a sphere"), "Shift+T"),
            ("distance", self.tr("Measure a distance"), "Shift+D"),
            ("angle", self.tr("Measure an angle"), "Shift+A"),
        )
        self.region_tools = {
            name: make(f"regions.{name}", text, (key,), needs=needs) for name, text, key in tools
        }
        shows = self.tr("Show regions")
        self.show_regions = make(
            "regions.show", shows, ("H",), needs="some-regions", checkable=True
        )
        delete = self.tr("Delete region")
        self.delete_region = make("regions.delete", delete, needs="region panes")
        needs = "some-regions panes"
        copy = self.tr("Copy table of figures")
        self.copy_figures = make("regions.copy", copy, ("Ctrl+Shift+C",), needs=needs)
        figures = self.tr("Export figures as CSV…")
        self.export_figures = make("regions.export_csv", figures, needs=needs)
        segments = self.tr("Export regions as DICOM SEG…")
        self.export_regions = make("regions.export_seg", segments, needs="segments panes")

    def _add_tools(self) -> None:
        packs = self.tr("Model packs…")
        self.packs = self._make("tools.packs", packs, icon="package-variant-closed")

    def _add_choices(self) -> None:
        looks = (
            ("system", self.tr("As the system")),
            ("light", self.tr("Light")),
            ("dark", self.tr("Dark")),
        )
        languages = (
            ("system", self.tr("As the system")),
            *((name, language.title_of(name)) for name in language.available()),
        )
        self.appearances = self._choices("appearance", looks)
        self.languages = self._choices("language", languages)

    def _choices(self, group: str, titles: tuple[tuple[str, str], ...]) -> dict[str, QAction]:
        exclusive = QActionGroup(self)
        made = {}
        for name, title in titles:
            made[name] = self._make(f"{group}.{name}", title, checkable=True)
            exclusive.addAction(made[name])
        return made

    def _add_help(self) -> None:
        make = self._make
        palette = self.tr("Command palette…")
        self.palette = make("help.palette", palette, ("Ctrl+K",), icon="magnify")
        self.keys = make("help.keys", self.tr("Keyboard shortcuts"), ("F1",))
        self.edit_keys = make("help.edit_keys", self.tr("Change keyboard shortcuts…"))
        self.about_use = make("help.research_use", self.tr("Research use only"))

    # --- menus -----------------------------------------------------------------------------

    def fill_menus(self, bar: QMenuBar) -> None:
        """Add every action to its menu, by group."""
        self.menus = {
            name: bar.addMenu(title)
            for name, title in (
                ("file", self.tr("&File")),
                ("fuse", self.tr("F&use")),
                ("compare", self.tr("&Compare")),
                ("display", self.tr("&Display")),
                ("view", self.tr("&View")),
                ("pairs", self.tr("&Pairs")),
                ("evaluate", self.tr("&Evaluate")),
                ("tools", self.tr("&Tools")),
                ("help", self.tr("&Help")),
            )
        }
        for name, title in (
            ("appearance", self.tr("Appearance")),
            ("language", self.tr("Language")),
        ):
            self.menus[name] = self.menus["view"].addMenu(title)
        self.menus["align"] = self.menus["fuse"].addMenu(self.tr("Align"))
        self.menus["regions"] = self.menus["tools"].addMenu(self.tr("Regions and figures"))
        self.menus["presets"] = QMenu(self.tr("Window presets"))
        before = {self.save, self.quit, self.less_opaque, self.invert, self.edit_keys}
        before |= {self.region_tools["select"], self.show_regions, self.copy_figures}
        for command in self:
            group = command.id.partition(".")[0]
            menu = self.menus["view" if group == "workspace" else group]
            action = self.action(command.id)
            if action in self.presets:
                menu = self.menus["presets"]
                if action is self.presets[0]:
                    self.menus["display"].addMenu(menu)
            if action in before or action is self.workspaces["fuse"]:
                menu.addSeparator()
            menu.addAction(action)
        self.mark_wired()

    def tidy_menus(self) -> None:
        """Hide commands without connections, and empty menus."""
        self.retire_unwired()
        for menu in reversed(self.menus.values()):
            menu.menuAction().setVisible(_has_something(menu))


def _has_something(menu: QMenu) -> bool:
    return any(action.isVisible() and not action.isSeparator() for action in menu.actions())
