"""The first page: what this machine is and what shall become of it."""

from node.model.page import WELCOME, ChoiceField, Page, ViewField

PAGES = (
    Page(
        "welcome",
        "Welcome",
        "Nothing is written to any disk until you have seen the whole plan and agreed to it. The arrow keys "
        "and Tab move, Enter takes and goes on, Escape goes back. Whatever you typed stays.",
        WELCOME,
        (
            ViewField(key="install.machine", label="This machine", view="machine"),
            ViewField(key="install.action", label="What to do", view="action"),
            ViewField(key="install.language", label="Language of these screens", view="language"),
        ),
    ),
    Page(
        "afterwards",
        "After the installation",
        "What the machine does when the installation is done.",
        95,
        (
            ChoiceField(
                key="install.afterwards",
                label="When it is done",
                options=(
                    ("reboot", "restart from its own disk"),
                    ("poweroff", "switch off"),
                    ("stay", "stay on"),
                ),
            ),
        ),
        asked=False,
    ),
)
