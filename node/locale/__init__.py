"""The words of the screens in the operator's language: English in the code, others from `LANGUAGE.po`.

Catalogues are read as translators write them, so that nothing has to be compiled. Words that other rooms put
together (problems, summaries of steps) come as whole sentences: `say` finds the entry whose named places fit.
"""

from __future__ import annotations

from importlib.resources import files

from node.locale.catalogue import Catalogue, read_catalogue

SOURCE = "en"
# Each in its own words, since that is what somebody looks for who reads no other.
LANGUAGES = {"en": "English", "cs": "Čeština"}


class _Current:
    language = SOURCE
    catalogue: Catalogue | None = None


def use(language: str) -> None:
    """Speak `language` from now on: `cs`, `cs_CZ.UTF-8`; English where there is no catalogue of it."""
    code = language.replace("-", "_").partition("_")[0].partition(".")[0].lower()
    _Current.language = code if code in LANGUAGES else SOURCE
    _Current.catalogue = catalogue(_Current.language)


def language() -> str:
    """Give the code of the language that is spoken now."""
    return _Current.language


def catalogue(language: str) -> Catalogue:
    """Read a language's catalogue; that of English says for a screen what was meant for a file."""
    return read_catalogue((files(__name__) / f"{language}.po").read_text(encoding="utf-8"))


def _(text: str) -> str:
    """Give a fixed text in the language of now; as it is where nobody translated it."""
    return _now().messages.get(text) or text


def plural(one: str, many: str, number: int) -> str:
    """Give the form of a text that goes with a number; `{n}` in it is the number."""
    forms = _now().plurals.get(one)
    text = forms[_now().form_of(number)] if forms else one if number == 1 else many
    return text.format(n=number)


def say(text: str) -> str:
    """Give a sentence that was put together elsewhere in the language of now, as far as it is known."""
    return _now().sentence(text)


def _now() -> Catalogue:
    if _Current.catalogue is None:
        _Current.catalogue = catalogue(_Current.language)
    return _Current.catalogue
