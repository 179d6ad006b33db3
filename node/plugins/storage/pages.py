"""What the screens ask about the disk and how it is divided."""

from node.model.page import DISK, SIZES, ChoiceField, Page, SizeField, ToggleField, ViewField

_HELP = "A size such as 4GiB; empty is worked out from the disk, the image and the memory; `rest` fills up."
# What an empty field takes is said before these words, and all must fit in three lines of 78 columns.
_SIZE = "A size such as 4GiB."
_REST = f"{_SIZE} `rest` fills up."

PAGES = (
    Page(
        "disk",
        "Disk",
        "The node is installed on one disk. Space or Enter takes the disk under the cursor; below the list "
        "stands more about it. A disk that holds anything may be taken too: before it is erased you are "
        "asked for its serial number.",
        DISK,
        (ViewField(key="storage.disk", label="Disk", view="disks"),),
    ),
    Page(
        "sizes",
        "Layout and sizes",
        "Two root slots take turns when the node is updated. CONFIG keeps its configuration, LOGGING is "
        f"/var/log and DATA is /data. {_HELP}",
        SIZES,
        (
            ViewField(key="storage.layout", label="The disk", view="bar"),
            ToggleField(
                key="storage.keep",
                label="Keep what is there",
                help="Keeps CONFIG, LOGGING and DATA of the disk as they are.",
            ),
            SizeField(key="storage.sizes.boot", label="BOOT", help=_REST, rest=True),
            SizeField(key="storage.sizes.root", label="ROOT-A and ROOT-B", help=_SIZE),
            SizeField(key="storage.sizes.swap", label="SWAP", help=f"{_REST} 0 is none.", rest=True),
            SizeField(key="storage.sizes.config", label="CONFIG", help=_REST, rest=True),
            SizeField(key="storage.sizes.logging", label="LOGGING", help=_REST, rest=True),
            SizeField(key="storage.sizes.data", label="DATA", help=_REST, rest=True),
            ChoiceField(
                key="storage.data_filesystem",
                label="Filesystem of DATA",
                options=(("ext4", "ext4"), ("xfs", "XFS")),
            ),
        ),
    ),
)
