"""What machines say at the moments that the stories wait for: the one place to mend when a text changes."""

import re

#: The kernel runs: a boot has begun.
KERNEL = "Linux version"
#: The initrd has its root image.
ROOT_MOUNTED = "Root image checked and mounted"
#: The installer says what it would do, or what keeps it from that.
PLAN = re.compile(r"What will be done, in this order|nothing will be written until")
#: An unattended installation is over, and the machine restarts.
INSTALLED = "This node is installed."
#: A machine that boots over the network first found what it installed before.
FOUND_FINISHED = "A finished installation is on"
#: The bare prompt, or the key that leads to it from the node's console.
LOGIN = re.compile("login:|Log-in prompt")
#: What a node says on serial lines when it is up.
READY = re.compile(r"NODECRUST-READY slot=(?P<slot>\S+) version=\S+ health=(?P<health>[^\n]+?)\s*\n")

#: What never becomes right by waiting longer.
DEAD_ENDS = (
    "Kernel panic",
    "Verification failed: (0x1A)",
    "bad shim signature",
    "No bootable device",
    "This machine can't start",
)
INSTALL_FAILED = "Not installed:"
