"""The language of the texts: English in the code, gettext catalogues for others.

A catalogue is ``LANGUAGE/LC_MESSAGES/unifusion.mo`` in :data:`FOLDER`. Every language with a
catalogue can be chosen; a new one needs no code.
"""

from __future__ import annotations

import gettext
import struct
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QLocale, QObject, QTranslator

import resources

FOLDER = resources.ROOT / "i18n"
DOMAIN = "unifusion"
SOURCE = "en"
"""The language of the code."""

_current: gettext.NullTranslations = gettext.NullTranslations()
_name = SOURCE
_installed: list[QTranslator] = []


class CatalogueTranslator(QTranslator):
    """Translates Qt's texts and those of ``QObject.tr`` by a gettext catalogue.

    Qt's contexts, which are class names, are ignored; its disambiguation is the gettext context.
    """

    def __init__(self, catalogue: gettext.NullTranslations, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._catalogue = catalogue

    def isEmpty(self) -> bool:
        """False: Qt does not install empty translators."""
        return False

    def translate(
        self, context: str, source: str, disambiguation: str | None = None, n: int = -1
    ) -> str:
        """The translation, or ``source`` without one. Qt itself inserts ``n``."""
        return lookup(self._catalogue, source, disambiguation)


def lookup(catalogue: gettext.NullTranslations, source: str, context: str | None = None) -> str:
    """The translation of ``source`` in ``context``, else in none, else ``source``."""
    if not source:  # gettext would return the catalogue's header
        return ""
    if context and (found := catalogue.pgettext(context, source)) != source:
        return found
    return catalogue.gettext(source)


def catalogue() -> gettext.NullTranslations:
    """The catalogue of the current language."""
    return _current


def available(folder: Path | None = None) -> tuple[str, ...]:
    """Available languages, English first.

    Args:
        folder: folder of the catalogues; None is :data:`FOLDER`.
    """
    files = (folder or FOLDER).glob(f"*/LC_MESSAGES/{DOMAIN}.mo")
    return (SOURCE, *sorted(path.parts[-3] for path in files))


def title_of(language: str) -> str:
    """The native name of a language."""
    name = "English" if language == SOURCE else QLocale(language).nativeLanguageName()
    return name[:1].upper() + name[1:] if name else language


def resolved(choice: str, wanted: list[str], there: tuple[str, ...]) -> str:
    """The language to use.

    Args:
        choice: "system" or a language.
        wanted: languages of the system's user ("de-AT", "fr"), in order of preference.
        there: available languages.
    """
    if choice in there:
        return choice
    known = {language.lower(): language for language in there}
    for name in wanted:
        name = name.replace("-", "_").lower()
        if found := known.get(name) or known.get(name.partition("_")[0]):
            return found
    return SOURCE


def locale_of(language: str, system: QLocale) -> QLocale:
    """The locale for numbers in ``language``: the system's, where it has the same language.

    For English it is never the system's.
    """
    there = system.language() == QLocale(language).language() and language != SOURCE
    return system if there else QLocale(language)


def install(application: QCoreApplication, choice: str) -> str:
    """Set the language of texts and numbers; returns the language in use.

    Call before any widget is created: existing ones keep their texts.
    """
    while _installed:
        application.removeTranslator(_installed.pop())
    language = resolved(choice, QLocale.system().uiLanguages(), available())
    use(language)
    if language != SOURCE:
        translator = CatalogueTranslator(_current, application)
        application.installTranslator(translator)
        _installed.append(translator)
    return language


def current() -> str:
    """The language in use."""
    return _name


def use(language: str) -> None:
    """Set the language of texts and numbers without an application, for the compute process."""
    global _current, _name
    _current, _name = _opened(language), language
    QLocale.setDefault(locale_of(language, QLocale.system()))


def _opened(language: str) -> gettext.NullTranslations:
    """Open the catalogue of ``language``; an empty one for English, or if it is unreadable."""
    if language == SOURCE:
        return gettext.NullTranslations()
    try:
        return gettext.translation(DOMAIN, FOLDER, [language], fallback=True)
    except (OSError, ValueError, struct.error):
        return gettext.NullTranslations()
