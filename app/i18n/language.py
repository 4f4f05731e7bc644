"""The language of the texts: English in the code, translations beside it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QCoreApplication, QLocale, QTranslator

import resources

FOLDER = resources.ROOT / "i18n"
_installed: list[QTranslator] = []


def available(folder: Path = FOLDER) -> tuple[str, ...]:
    """Languages there are texts in, English first."""
    found = sorted(path.stem.rpartition("_")[2] for path in folder.glob("unifusion_*.qm"))
    return ("en", *found)


def resolved(choice: str, wanted: list[str], there: tuple[str, ...]) -> str:
    """The language to use.

    Args:
        choice: “system”, or a language.
        wanted: what the system's user reads (“de-AT”, “fr”), the dearest first.
        there: languages there are texts in.
    """
    if choice in there:
        return choice
    for name in wanted:
        language = name.replace("_", "-").partition("-")[0].lower()
        if language in there:
            return language
    return "en"


def locale_of(language: str, system: QLocale) -> QLocale:
    """How numbers are written in ``language``: as the system does where it speaks that, too.

    English is as the code writes it.
    """
    there = system.language() == QLocale(language).language() and language != "en"
    return system if there else QLocale(language)


def install(application: QCoreApplication, choice: str) -> str:
    """Let the program speak ``choice``, and write numbers so; returns the language it speaks now.

    To be called before any text is made: windows already there keep theirs.
    """
    while _installed:
        application.removeTranslator(_installed.pop())
    language = resolved(choice, QLocale.system().uiLanguages(), available())
    if language != "en":
        translator = QTranslator(application)
        if translator.load(str(FOLDER / f"unifusion_{language}.qm")):
            application.installTranslator(translator)
            _installed.append(translator)
    QLocale.setDefault(locale_of(language, QLocale.system()))
    return language
