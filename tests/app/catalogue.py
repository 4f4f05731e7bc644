"""What there is to translate, and the German of it."""

from __future__ import annotations

from functools import cache

from tools.i18n.update import path_of, read, template


@cache
def all_texts() -> frozenset[str]:
    """Every text of the program; each form of a counted text by itself."""
    forms = (text.id if isinstance(text.id, tuple) else (text.id,) for text in template())
    return frozenset(form for some in forms for form in some if form)


@cache
def german_texts() -> tuple[tuple[str, str], ...]:
    """(English, German) of every text; each form of a counted text by itself."""
    pairs: list[tuple[str, str]] = []
    for text in read(path_of("de"), "de"):
        if isinstance(text.id, tuple):
            pairs += zip(text.id, text.string, strict=True)
        elif text.id:
            pairs.append((text.id, text.string))
    return tuple(pairs)
