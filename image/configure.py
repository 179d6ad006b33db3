"""What the kickstart says about the system, written into the tree. Works on files and on `chroot`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import yaml

from image import answers
from image.kickstart import Account, Kickstart
from image.packages import is_builtin_locale
from image.password import deterministic_hash
from node.errors import InputError, NodeError
from node.plugins.locale.answers import LocaleAnswers
from node.plugins.locale.render import rendered

# Runs a command inside the tree; its words, then what it printed.
Inside = Callable[[Sequence[str]], str]

# Names that other distributions give to services of Debian.
_SERVICE_NAMES = {"sshd": "ssh"}

# The same for groups.
_GROUP_NAMES = {"wheel": "sudo"}

_HOSTS = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"


def configure(tree: Path, kickstart: Kickstart, inside: Inside) -> None:
    """Bring the tree to what the kickstart's directives say. Raises InputError where it lacks the means."""
    _identity(tree, kickstart)
    _locale(tree, kickstart, inside)
    _keyboard(tree, kickstart)
    _timezone(tree, kickstart)
    _network(tree, kickstart)
    _accounts(tree, kickstart, inside)
    _services(tree, kickstart, inside)
    write(tree / "usr/lib/nodecrust/answers.yaml", yaml.safe_dump(answers.from_kickstart(kickstart)))


def write(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Write a file of the tree with its folders. A link in its place is replaced, not followed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink():
        path.unlink()
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def _identity(tree: Path, kickstart: Kickstart) -> None:
    # Empty: every node makes its own, and systemd doesn't ask questions of a first boot.
    write(tree / "etc/machine-id", "", mode=0o444)
    (tree / "var/lib/dbus/machine-id").unlink(missing_ok=True)
    for key in (tree / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    mask = tree / "etc/systemd/system/systemd-firstboot.service"
    mask.parent.mkdir(parents=True, exist_ok=True)
    mask.unlink(missing_ok=True)
    mask.symlink_to("/dev/null")
    write(tree / "etc/fstab", "")
    hosts = _HOSTS + (f"127.0.1.1\t{kickstart.hostname}\n" if kickstart.hostname else "")
    write(tree / "etc/hosts", hosts)
    if kickstart.hostname:
        write(tree / "etc/hostname", kickstart.hostname + "\n")


def _locale(tree: Path, kickstart: Kickstart, inside: Inside) -> None:
    lang = kickstart.lang or "C.UTF-8"
    for one in dict.fromkeys((lang, *kickstart.more_languages)):
        if is_builtin_locale(one):
            continue
        base, _, modifier = one.partition("@")
        name, _, charset = base.partition(".")
        source = f"{name}@{modifier}" if modifier else name
        if not (tree / "usr/share/i18n/locales" / source).is_file():
            raise InputError(f"lang {one}: Debian knows no such language")
        inside(["localedef", "-i", source, "-f", charset or "UTF-8", one])
    write(tree / "etc/locale.conf", f"LANG={lang}\n")
    write(tree / "etc/default/locale", f"LANG={lang}\n")


def _keyboard(tree: Path, kickstart: Kickstart) -> None:
    # The same files that a node renders from its state at boot.
    for file in rendered(LocaleAnswers(keyboard=kickstart.keyboard or "")):
        path = tree / file.path.lstrip("/")
        if file.target:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            path.symlink_to(file.target)
        else:
            write(path, file.contents)


def _timezone(tree: Path, kickstart: Kickstart) -> None:
    if kickstart.timezone is not None:
        zone = tree / "usr/share/zoneinfo" / kickstart.timezone
        if not zone.exists():
            raise InputError(
                f"timezone {kickstart.timezone}: there is no such zone in the image",
                mend="mend its name, or add the package tzdata",
            )
        link = tree / "etc/localtime"
        link.unlink(missing_ok=True)
        link.symlink_to(f"/usr/share/zoneinfo/{kickstart.timezone}")
        write(tree / "etc/timezone", kickstart.timezone + "\n")
    if not kickstart.clock_is_utc:
        write(tree / "etc/adjtime", "0.0 0 0.0\n0\nLOCAL\n")
    if kickstart.ntp:
        drop_in = tree / "etc/systemd/timesyncd.conf.d/50-kickstart.conf"
        write(drop_in, f"[Time]\nNTP={' '.join(kickstart.ntp)}\n")


def _network(tree: Path, kickstart: Kickstart) -> None:
    if kickstart.netplan is not None:
        document = yaml.safe_dump({"network": dict(kickstart.netplan)}, sort_keys=False)
        write(tree / "etc/netplan/50-image.yaml", document, mode=0o600)
    if (tree / "usr/lib/systemd/systemd-resolved").exists():
        stub = tree / "etc/resolv.conf"
        stub.unlink(missing_ok=True)
        stub.symlink_to("../run/systemd/resolve/stub-resolv.conf")


def _accounts(tree: Path, kickstart: Kickstart, inside: Inside) -> None:
    # Locked unless the kickstart has a password for it.
    root = kickstart.root
    inside(["usermod", "-p", password_field(root) if root else "*", "root"])
    for account in kickstart.accounts:
        try:
            inside(_useradd(account))
        except NodeError as error:
            brief = f"user --name={account.name}: the account can't be made"
            raise InputError(brief, details=error.details) from error
    homes = {"root": "/root"} | {one.name: one.home or f"/home/{one.name}" for one in kickstart.accounts}
    for name in homes:
        keys = [key for user, key in kickstart.ssh_keys if user == name]
        if keys:
            folder = homes[name] + "/.ssh"
            write(tree / folder.lstrip("/") / "authorized_keys", "\n".join(keys) + "\n", mode=0o600)
            (tree / folder.lstrip("/")).chmod(0o700)
            inside(["chown", "-R", f"{name}:", folder])


def _useradd(account: Account) -> list[str]:
    argv = ["useradd", "--create-home", "--password", password_field(account)]
    argv += ["--shell", account.shell or "/bin/bash"]
    options = {
        "--groups": ",".join(dict.fromkeys(_GROUP_NAMES.get(one, one) for one in account.groups)),
        "--home-dir": account.home,
        "--comment": account.gecos,
        "--uid": account.uid,
        "--gid": account.gid,
    }
    for option, value in options.items():
        if value not in (None, ""):
            argv += [option, str(value)]
    return [*argv, account.name]


def password_field(account: Account) -> str:
    """What stands in /etc/shadow: a given hash, a hash of the given password, or `*` (locked)."""
    if account.password is None:
        return "*"
    return account.password if account.is_hash else deterministic_hash(account.name, account.password)


def _services(tree: Path, kickstart: Kickstart, inside: Inside) -> None:
    for verb, names in (("enable", kickstart.enabled), ("disable", kickstart.disabled)):
        for given in names:
            name = _SERVICE_NAMES.get(given, given)
            unit = name if "." in name else f"{name}.service"
            folders = (tree / "usr/lib/systemd/system", tree / "etc/systemd/system")
            if not any((folder / unit).exists() or (folder / unit).is_symlink() for folder in folders):
                if verb == "disable":
                    continue
                raise InputError(f"services --enabled={given}: the image has no unit {unit}")
            try:
                inside(["systemctl", "--no-reload", verb, unit])
            except NodeError as error:
                raise InputError(f"services: {unit} can't be {verb}d", details=error.details) from error
