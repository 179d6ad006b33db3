"""The files of /etc that let people in."""

from __future__ import annotations

from node.model.state import RenderedFile
from node.plugins.access.answers import AccessAnswers, Admin

HEADER = "# Made by nodectl at every boot from /config/node.yaml; a change here is lost.\n"

_UID = 1000
# base-passwd's fixed numbers: sudo for Debian's own sudoers, adm for the journal.
_GROUPS = {"adm": 4, "sudo": 27}


def rendered(access: AccessAnswers) -> tuple[RenderedFile, ...]:
    """Give the accounts that are open, their keys, and how sshd and sudo treat them.

    An account that is not open is left as the image has it: root locked, no admin.
    """
    files: list[RenderedFile] = []
    hashes: dict[str, str] = {}
    if access.admin.is_open:
        hashes[access.admin.name] = access.admin.password_hash
        files += _admin(access.admin)
    if access.root.password_hash:
        hashes["root"] = access.root.password_hash
    if hashes:
        # `*` fits no password and, other than `!`, does not make sshd take the account for a locked one.
        # No date of change, so that no password is ever too old: the node's clock may be wrong at boot.
        lines = "".join(f"{name}:{text or '*'}::0:99999:7:::\n" for name, text in hashes.items())
        files.append(RenderedFile("/etc/shadow", lines, mode=0o640, group="shadow", append=True))
    for name, keys in ((access.admin.name, access.admin.ssh_keys), ("root", access.root.ssh_keys)):
        if keys:
            text = HEADER + "".join(f"{key}\n" for key in keys)
            files.append(RenderedFile(f"/etc/ssh/authorized_keys.d/{name}", text))
    files.append(RenderedFile("/etc/ssh/sshd_config.d/10-nodecrust.conf", _sshd(access)))
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
        RenderedFile("/etc/passwd", f"{name}:x:{_UID}:{_UID}:{name}:{home}:/bin/bash\n", append=True),
        RenderedFile("/etc/group", f"{name}:x:{_UID}:\n{members}", append=True),
        RenderedFile("/etc/gshadow", f"{name}:!::\n{shadows}", mode=0o640, group="shadow", append=True),
        RenderedFile(
            "/etc/tmpfiles.d/nodecrust-home.conf", f"{HEADER}d {home} 0700 {name} {name} -\n{skeleton}"
        ),
    ]
    if admin.sudo:
        # Without a password sudo could ask for none, so the key alone has to be enough.
        rule = "ALL=(ALL:ALL) ALL" if admin.password_hash else "ALL=(ALL:ALL) NOPASSWD: ALL"
        files.append(RenderedFile("/etc/sudoers.d/90-nodecrust", f"{HEADER}{name} {rule}\n", mode=0o440))
    return files


def _sshd(access: AccessAnswers) -> str:
    # Debian's sshd_config includes its drop-ins first, and sshd takes the first value that it reads.
    password = "yes" if access.ssh_password_login else "no"
    root = "prohibit-password" if access.root.ssh_keys else "no"
    return (
        f"{HEADER}PasswordAuthentication {password}\n"
        "KbdInteractiveAuthentication no\n"
        f"PermitRootLogin {root}\n"
        "AuthorizedKeysFile /etc/ssh/authorized_keys.d/%u .ssh/authorized_keys\n"
    )
