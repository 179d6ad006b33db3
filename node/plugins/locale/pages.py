"""What the screens ask about language, keyboard and time."""

from node.model.page import LANGUAGE, ChoiceField, Page, TextField
from node.plugins.locale.keymaps import KEYMAPS

# In the words of who types on it; others go by their XKB name.
_NAMES = {
    "us": "English (US)", "gb": "English (UK)", "cz": "Čeština", "sk": "Slovenčina", "de": "Deutsch",
    "at": "Deutsch (AT)", "ch": "Deutsch (CH)", "fr": "Français", "es": "Español", "it": "Italiano",
    "pl": "Polski", "hu": "Magyar", "nl": "Nederlands", "pt": "Português", "br": "Português (BR)",
    "se": "Svenska", "no": "Norsk", "dk": "Dansk", "fi": "Suomi", "tr": "Türkçe", "ro": "Română",
}  # fmt: skip


def _keyboards() -> tuple[tuple[str, str], ...]:
    known = sorted(KEYMAPS, key=lambda layout: (layout not in _NAMES, _NAMES.get(layout, layout)))
    names = ((layout, f"{_NAMES[layout]} - {layout}" if layout in _NAMES else layout) for layout in known)
    return (("", "as it is"), *names)


PAGES = (
    Page(
        "language",
        "Keyboard and time",
        "The keyboard counts at once, so that you can try it in the line below. The time zone is the node's; "
        "its clock runs in UTC whatever it is.",
        LANGUAGE,
        (
            ChoiceField(key="locale.keyboard", label="Keyboard", options=_keyboards()),
            TextField(key="try.keyboard", label="Try it here", empty="counts for nothing"),
            ChoiceField(
                key="locale.timezone",
                label="Time zone",
                options=(("", "UTC, as the image has it"),),
                more="timezones",
            ),
            TextField(
                key="locale.lang",
                label="Language of the node",
                help="A locale such as C.UTF-8 or en_US.UTF-8, as far as the image has it.",
                empty="as the image has it",
            ),
        ),
    ),
)
