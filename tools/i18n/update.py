"""Brings the translation sources up to the code, and makes what Qt reads from them.

    python -m tools.i18n.update

New texts are added as unfinished, those that are gone from the code are dropped; what is
translated stays. Needs the window's packages, for lrelease.
"""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as xml
from importlib.util import find_spec
from pathlib import Path

from tools.i18n.extract import Text, find

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "resources" / "i18n"


def read_ts(path: Path) -> dict[Text, str]:
    """Translations in a .ts file; "" for the unfinished ones."""
    found: dict[Text, str] = {}
    if not path.exists():
        return found
    for context in xml.parse(path).getroot().iter("context"):
        name = context.findtext("name") or ""
        for message in context.iter("message"):
            translation = message.find("translation")
            done = translation is not None and translation.get("type") != "unfinished"
            text = (translation.text or "") if done and translation is not None else ""
            found[Text(name, message.findtext("source") or "")] = text
    return found


def write_ts(path: Path, language: str, translations: dict[Text, str]) -> None:
    """Write a .ts file, contexts and texts in order, so that changes read well in a diff."""
    root = xml.Element("TS", version="2.1", language=language, sourcelanguage="en")
    contexts: dict[str, xml.Element] = {}
    for text in sorted(translations):
        if text.context not in contexts:
            contexts[text.context] = xml.SubElement(root, "context")
            xml.SubElement(contexts[text.context], "name").text = text.context
        message = xml.SubElement(contexts[text.context], "message")
        xml.SubElement(message, "source").text = text.source
        translation = xml.SubElement(message, "translation")
        translation.text = translations[text]
        if not translations[text]:
            translation.set("type", "unfinished")
    xml.indent(root, " ")
    body = xml.tostring(root, encoding="unicode")
    path.write_text(f'<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE TS>\n{body}\n', "utf-8")


_EDITING = ("&Undo", "&Redo", "Cu&t", "&Copy", "&Paste", "Delete", "Select All")
_OF_QT = {
    "QPlatformTheme": (
        "OK",
        "&OK",
        "Cancel",
        "&Cancel",
        "Close",
        "&Close",
        "&Yes",
        "&No",
        "Restore Defaults",
    ),
    "QDockWidget": (
        "Close",
        "Closes the dock widget",
        "Float",
        "Undocks and re-attaches the dock widget",
    ),
    "QLineEdit": _EDITING,
    "QWidgetTextControl": _EDITING,
    "QKeySequenceEdit": ("Press shortcut",),
    # Where the system has no dialog of its own for files, Qt shows its.
    "QFileDialog": (
        "&Look in:",
        "Back",
        "Go back",
        "Forward",
        "Go forward",
        "Parent Directory",
        "Go to the parent directory",
        "Create New Folder",
        "Create a New Folder",
        "List View",
        "Change to list view mode",
        "Detail View",
        "Change to detail view mode",
        "Sidebar",
        "List of places and bookmarks",
        "Files",
        "Files of &type:",
        "File &name:",
        "Directory:",
        "&Open",
        "&Save",
        "&Choose",
        "&Rename",
        "&Delete",
        "Show &hidden files",
        "&New Folder",
        "New Folder",
        "Remove",
        "Delete",
        "All files (*)",
        "Directories",
        "Recent Places",
        "%1 already exists.\nDo you want to replace it?",
        "%1\nFile not found.\nPlease verify the correct file name was given.",
        "%1\nDirectory not found.\nPlease verify the correct directory name was given.",
        "'%1' is write protected.\nDo you want to delete it anyway?",
        "Are you sure you want to delete '%1'?",
        "Could not delete directory.",
    ),
    "QFileSystemModel": ("Name", "Size", "Type", "Kind", "Date Modified", "Computer"),
    "QAbstractFileIconProvider": ("Drive", "File", "File Folder", "Folder", "Unknown"),
    "QScrollBar": (
        "Scroll here",
        "Left edge",
        "Right edge",
        "Top",
        "Bottom",
        "Page left",
        "Page right",
        "Page up",
        "Page down",
        "Scroll left",
        "Scroll right",
        "Scroll up",
        "Scroll down",
    ),
    "QAbstractSpinBox": ("&Select All", "&Step up", "Step &down"),
    # How keys are called. Those without a name of their own in any language are left out.
    "QShortcut": (
        "Ctrl",
        "Shift",
        "Return",
        "PgUp",
        "PgDown",
        "Up",
        "Down",
        "Left",
        "Right",
        "Home",
        "End",
        "Del",
        "Ins",
        "Space",
        "Backspace",
        "Print",
    ),
}
"""All that is shown of Qt's own texts, whose translations the bundle leaves out."""


def wanted_texts() -> set[Text]:
    """Texts of the code, of the engine's data, and of Qt's own buttons."""
    from tools.i18n.engine_messages import engine_texts

    texts, _unread = find(ROOT)
    engine = {Text("core", text) for text in engine_texts()}
    return texts | engine | {Text(c, text) for c, own in _OF_QT.items() for text in own}


def release(path: Path) -> None:
    """Make the .qm beside a .ts file."""
    spec = find_spec("PySide6")
    if spec is None or spec.origin is None:
        sys.exit("PySide6 is not installed")
    program = Path(spec.origin).parent / ("lrelease.exe" if sys.platform == "win32" else "lrelease")
    # A program that is running reads the old one from the disk as it needs it: that one stays.
    made = path.with_suffix(".qm.new")
    subprocess.run([program, "-silent", path, "-qm", made], check=True)
    made.replace(path.with_suffix(".qm"))


def main() -> None:
    """Update every .ts file in this folder."""
    texts = wanted_texts()
    for path in sorted(FOLDER.glob("unifusion_*.ts")):
        known = read_ts(path)
        translations = {text: known.get(text, "") for text in texts}
        write_ts(path, path.stem.rpartition("_")[2], translations)
        release(path)
        open_ones = [text for text, done in translations.items() if not done]
        print(f"{path.name}: {len(texts)} texts, {len(open_ones)} not translated")


if __name__ == "__main__":
    main()
