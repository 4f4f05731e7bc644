"""Updates the catalogues of texts from the source code, and compiles them.

    python -m tools.i18n.update              all existing languages
    python -m tools.i18n.update fr           adds another one

Texts are the literal arguments of ``tr``, ``plural``, ``Message`` and ``template``, extracted by
Babel. New texts are added without a translation, texts that no longer exist are removed, and
translations are kept. Output: ``resources/i18n/LANGUAGE/LC_MESSAGES/unifusion.po`` and ``.mo``,
which are reproducible byte for byte.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "resources" / "i18n"
DOMAIN = "unifusion"

_KEYWORDS: dict[str, Any] = {
    "tr": {1: (1,), 2: ((2, "c"), 1)},  # with Qt's disambiguation as the context
    "plural": (1, 2),
    "Message": (1,),
    "template": (1,),
}
_SOURCES = [
    ("app/cli/**.py", "ignore"),  # the command line is in English
    ("app/**.py", "python"),
    ("core/**.py", "python"),
    ("trainer/**.py", "python"),
]
_OF_QT = (
    *("OK", "&OK", "Cancel", "&Cancel", "Close", "&Close", "&Yes", "&No", "Restore Defaults"),
    *("Closes the dock widget", "Float", "Undocks and re-attaches the dock widget"),
    *("&Undo", "&Redo", "Cu&t", "&Copy", "&Paste", "Delete", "Select All"),
    *("Press shortcut", "&Select All", "&Step up", "Step &down"),
    # Texts of Qt's file dialog, which is used where the system has none.
    *("&Look in:", "Back", "Go back", "Forward", "Go forward", "Parent Directory"),
    *("Go to the parent directory", "Create New Folder", "Create a New Folder", "List View"),
    *("Change to list view mode", "Detail View", "Change to detail view mode", "Sidebar"),
    *("List of places and bookmarks", "Files", "Files of &type:", "File &name:", "Directory:"),
    *("&Open", "&Save", "&Choose", "&Rename", "&Delete", "Show &hidden files", "&New Folder"),
    *("New Folder", "Remove", "All files (*)", "Directories", "Recent Places"),
    "%1 already exists.\nDo you want to replace it?",
    "%1\nFile not found.\nPlease verify the correct file name was given.",
    "%1\nDirectory not found.\nPlease verify the correct directory name was given.",
    "'%1' is write protected.\nDo you want to delete it anyway?",
    *("Are you sure you want to delete '%1'?", "Could not delete directory."),
    *("Name", "Size", "Type", "Kind", "Date Modified", "Computer"),
    *("Drive", "File", "File Folder", "Folder", "Unknown"),
    *("Scroll here", "Left edge", "Right edge", "Top", "Bottom", "Page left", "Page right"),
    *("Page up", "Page down", "Scroll left", "Scroll right", "Scroll up", "Scroll down"),
    # Names of keys. Keys that have the same name in all languages are omitted.
    *("Ctrl", "Shift", "Return", "PgUp", "PgDown", "Up", "Down", "Left", "Right", "Home", "End"),
    *("Del", "Ins", "Space", "Backspace", "Print"),
)
"""Texts of Qt that are visible, and whose translations the bundle does not contain."""


class StableCatalog(Catalog):
    """A catalogue whose header contains neither dates nor names of persons or tools."""

    def _get_mime_headers(self) -> list[tuple[str, str]]:
        headers = [("Project-Id-Version", "UniFusion Studio")]
        if self.locale is not None:
            headers += [("Language", str(self.locale)), ("Plural-Forms", self.plural_forms)]
        content = ("Content-Type", "text/plain; charset=utf-8")
        return [*headers, ("MIME-Version", "1.0"), content, ("Content-Transfer-Encoding", "8bit")]

    mime_headers = property(_get_mime_headers, Catalog._set_mime_headers)


def _has_words(text: str | tuple[str, ...]) -> bool:
    """False for templates that only combine others, such as “{0}: {1}”."""
    return any(sign.isalpha() for sign in re.sub(r"{.*?}", "", "".join(text)))


def _shown_by_name() -> Iterator[str]:
    """Texts that are data: titles of embedded packs, and choices of settings."""
    from core.packs.registry import Catalogue
    from resources import PACKS
    from trainer.config.form import FIELDS

    yield from (entry.manifest.title for entry in Catalogue([PACKS]).scan()[0])
    # Identifiers such as bf16 or dinov3 are not translated; words are.
    yield from (choice for field in FIELDS for choice in field.choices if choice.isalpha())


def template(root: Path = ROOT) -> Catalog:
    """A catalogue of all translatable texts, without translations."""
    found = extract_from_dir(root, _SOURCES, keywords=_KEYWORDS)
    texts = Catalog(charset="utf-8")
    for _, _, text, _, context in found:
        if _has_words(text):
            texts.add(text, context=context)
    for text in (*_OF_QT, *_shown_by_name()):
        texts.add(text)
    return texts


def path_of(language: str, folder: Path = FOLDER) -> Path:
    """The path of the .po file of a language; its .mo file lies beside it."""
    return folder / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def read(path: Path, language: str) -> Catalog:
    """Read a catalogue; an empty one if there is no file."""
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as stream:
        return read_po(stream, locale=language)


def is_translated(message: Message) -> bool:
    """Whether a text has a translation, in every form it needs."""
    forms = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
    return all(form and form.strip() for form in forms)


def merged(texts: Catalog, known: Catalog, language: str) -> Catalog:
    """``texts`` with the existing translations from ``known``."""
    made = StableCatalog(locale=language, domain=DOMAIN, charset="utf-8", fuzzy=False)
    made.header_comment = "# Texts of UniFusion Studio."
    for text in texts:
        if text.id:
            old = known.get(text.id, text.context)
            same = old is not None and old.pluralizable == text.pluralizable
            string = old.string if same and old is not None else None
            made.add(text.id, string, context=text.context)
    return made


def source_of(catalog: Catalog) -> bytes:
    """The .po file: sorted and without source locations, which gives readable diffs."""
    stream = io.BytesIO()
    write_po(stream, catalog, width=100, sort_output=True)
    return stream.getvalue()


def compiled(catalog: Catalog) -> bytes:
    """The .mo file.

    Records of older versions store the plural template alone; it is therefore also an entry of its
    own, translated with the last plural form.
    """
    made = merged(catalog, catalog, str(catalog.locale))
    for text in catalog:
        if isinstance(text.id, tuple) and is_translated(text) and text.id[1] not in made:
            made.add(text.id[1], text.string[-1] if text.string else "")
    stream = io.BytesIO()
    write_mo(stream, made)
    return stream.getvalue()


def update(language: str, texts: Catalog, folder: Path = FOLDER) -> Catalog:
    """Update the catalogue of a language from ``texts``, and compile it."""
    path = path_of(language, folder)
    catalog = merged(texts, read(path, language), language)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(source_of(catalog))
    path.with_suffix(".mo").write_bytes(compiled(catalog))
    return catalog


def languages(folder: Path = FOLDER) -> list[str]:
    """Languages that have a catalogue, compiled or not."""
    return sorted(path.parts[-3] for path in folder.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))


def main() -> None:
    """Update all catalogues, and those of the languages given as arguments."""
    texts = template()
    for language in sorted({*languages(), *sys.argv[1:]}):
        catalog = update(language, texts)
        missing = sum(bool(text.id) and not is_translated(text) for text in catalog)
        print(f"{language}: {len(catalog)} texts, {missing} not translated")


if __name__ == "__main__":
    main()
