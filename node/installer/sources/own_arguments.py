"""Our kernel arguments that are no keys of the answers, with what each one means: the docs come from here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class OwnArgument:
    """`name` without the leading `node.`; `form` is how its value looks."""

    name: str
    form: str
    help: str


OWN_ARGUMENTS = (
    OwnArgument("image", "URL|LABEL=NAME|PARTUUID=UUID", "Where the initrd finds the root image."),
    OwnArgument("image.sha256", "HEX", "The root image's SHA-256; another image is refused."),
    OwnArgument("image.size", "BYTES", "The root image's length, where it lies on a partition."),
    OwnArgument("image.trust", "network", "Takes a root image without image.sha256 from the network."),
    OwnArgument(
        "config.wait",
        "SECONDS",
        "Says that this node has a CONFIG on a disk, which is waited for so long where it comes late (1 to "
        "600). For nodes that boot over the network; without it only a disk with other partitions of a node "
        "has the initrd wait, for 30 s.",
    ),
    OwnArgument(
        "answers",
        "URL|medium:/PATH|file:/PATH",
        "Where the answers are: https, http or tftp; a file on the boot medium, or on the FAT partition of "
        "a USB stick; a file of the image.",
    ),
    OwnArgument(
        "answers.sha256", "HEX", "The answers' SHA-256. http and tftp want it; over https it replaces the CA."
    ),
    OwnArgument(
        "answers.ca",
        "HEX|/PATH",
        "For https: the SHA-256 fingerprint of a certificate in the server's chain, or a file of CA "
        "certificates. Without it /etc/nodecrust/ca.pem of the image is taken, then nodecrust-ca.pem on the "
        "boot medium.",
    ),
    OwnArgument(
        "answers.trust",
        "network",
        "Takes the answers from the network unchecked, on purpose: whoever owns the wire then owns the node.",
    ),
    OwnArgument(
        "console",
        "login",
        "Leaves the bare log-in prompt on every console, without the node's status in its place.",
    ),
    OwnArgument("screens", "no", "Asks in single lines in place of full screens."),
    OwnArgument("lang", "LANGUAGE", "The language of the screens: en, cs."),
    OwnArgument(
        "plugins",
        "URL",
        "A signed bundle of plugins for this boot, with its signature at URL.sig: https, http or tftp. The "
        "image must have its key, see [plugins in an image](plugins-in-an-image.md).",
    ),
    OwnArgument("plugins.sha256", "HEX", "The bundle's SHA-256, where no other one of the same key will do."),
    OwnArgument("reinstall", "ID", "Short for node.install.reinstall=ID."),
)

OWN_NAMES = frozenset(argument.name for argument in OWN_ARGUMENTS)
ALIASES = {"reinstall": "install.reinstall"}
LEGACY_PREFIX = "legacy."
# Names without `node.` that profiles of old nodes carry: the key that each means, and what its value lacks.
OLD_NAMES = {
    "management_server": ("registration.server", "https://"),
    "management_server_fingerprint": ("registration.fingerprint", ""),
}
