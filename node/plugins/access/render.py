"""The files of /etc that let people in."""

from __future__ import annotations

from node.model.state import RenderedFile
from node.plugins.access.aging import CLOSED, shadow_line
from node.plugins.access.answers import AccessAnswers, Admin

HEADER = "# Made by nodectl at every boot from /config/node.yaml; a change here is lost.\n"

_UID = 1000
# base-passwd's fixed numbers: sudo for Debian's own sudoers, adm for the journal.
_GROUPS = {"adm": 4, "sudo": 27}

# Whoever logs in next is judged by the new files.
_AT_ONCE: tuple[tuple[str, ...], ...] = ()
_HOME = (("systemd-tmpfiles", "--create", "--prefix=/home"),)
_SSHD = (("systemctl", "try-reload-or-restart", "ssh.service"),)


def rendered(access: AccessAnswers, *, installed: str = "") -> tuple[RenderedFile, ...]:
    """Give the accounts that were set, their keys, and how sshd and sudo treat them.

    An account that is not set is left as the image has it: root locked, no admin. `installed` is the day of
    the installation, "" where there was none.
    """
    files: list[RenderedFile] = []
    shadows = ""
    admin, root = access.admin, access.root
    if admin.is_set:
        files += _admin(admin)
        shadows += shadow_line(
            admin.name, admin, expires=CLOSED if admin.locked else admin.expires, installed=installed
        )
    if root.password_hash or root.locked:
        # root's account as a whole never expires: cron, su and recovery go through it.
        shadows += shadow_line("root", root, expires="", installed=installed)
    if shadows:
        files.append(
            RenderedFile("/etc/shadow", shadows, mode=0o640, group="shadow", append=True, live=_AT_ONCE)
        )
    for name, account in ((admin.name, admin), ("root", root)):
        if account.ssh_keys and account.is_open:
            text = HEADER + "".join(f"{key}\n" for key in account.ssh_keys)
            files.append(RenderedFile(f"/etc/ssh/authorized_keys.d/{name}", text, live=_AT_ONCE))
    files.append(RenderedFile("/etc/ssh/sshd_config.d/10-nodecrust.conf", _sshd(access), live=_SSHD))
    return tuple(files)


def _admin(admin: Admin) -> list[RenderedFile]:
    name = admin.name
    groups = {group: number for group, number in _GROUPS.items() if admin.sudo or group != "sudo"}
    members = "".join(f"{group}:x:{number}:{name}\n" for group, number in groups.items())
    shadows = "".join(f"{group}:*::{name}\n" for group in groups)
    home = f"/home/{name}"
    skeleton = "".join(
        f"C {home}/{file} 0644 {name} {name} - /etc/skel/{file}\n" for file in (".bashrc", ".profile")
    )
    files = [
        RenderedFile(
            "/etc/passwd", f"{name}:x:{_UID}:{_UID}:{name}:{home}:/bin/bash\n", append=True, live=_AT_ONCE
        ),
        RenderedFile("/etc/group", f"{name}:x:{_UID}:\n{members}", append=True, live=_AT_ONCE),
        RenderedFile(
            "/etc/gshadow",
            f"{name}:!::\n{shadows}",
            mode=0o640,
            group="shadow",
            append=True,
            live=_AT_ONCE,
        ),
        RenderedFile(
            "/etc/tmpfiles.d/nodecrust-home.conf",
            f"{HEADER}d {home} 0700 {name} {name} -\n{skeleton}",
            live=_HOME,
        ),
    ]
    if admin.sudo:
        # Without a password sudo could ask for none, so the key alone has to be enough.
        rule = "ALL=(ALL:ALL) ALL" if admin.password_hash else "ALL=(ALL:ALL) NOPASSWD: ALL"
        files.append(
            RenderedFile("/etc/sudoers.d/90-nodecrust", f"{HEADER}{name} {rule}\n", mode=0o440, live=_AT_ONCE)
        )
    return files


def _sshd(access: AccessAnswers) -> str:
    # Debian's sshd_config includes its drop-ins first, and sshd takes the first value that it reads.
    password = "yes" if access.ssh_password_login else "no"
    root = "prohibit-password" if access.root.ssh_keys and access.root.is_open else "no"
    return (
        f"{HEADER}PasswordAuthentication {password}\n"
        "KbdInteractiveAuthentication no\n"
        f"PermitRootLogin {root}\n"
        "AuthorizedKeysFile /etc/ssh/authorized_keys.d/%u .ssh/authorized_keys\n"
    )
