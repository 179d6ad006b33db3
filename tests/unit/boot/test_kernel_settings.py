from __future__ import annotations

from node.boot.kernel_settings import MODULES, SYSCTL, main, missing
from node.model.state import State
from node.plugins import kernel


def test_what_the_kernel_lacks_is_an_alarm(tmp_path):
    settings = {
        "vm.swappiness": 10,
        "vm.lacking": 1,
        "net.ipv4.conf.eth9.forwarding": 1,
        "net.ipv4.ip_forward": 1,
        "net.core.*_max": 5,
        "net.core.*_min": 5,
    }
    sections = {"kernel": {"sysctl": settings, "modules": ["br-netfilter", "fuse-x", "nothing"]}}
    for file in kernel.node_render(State(sections=sections)):
        path = tmp_path / file.path.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.contents)
    assert (tmp_path / MODULES).exists()
    assert (tmp_path / SYSCTL).exists()
    for there in ("vm/swappiness", "net/ipv4/ip_forward", "net/core/rmem_max"):
        path = tmp_path / "proc/sys" / there
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "sys/module/br_netfilter").mkdir(parents=True)
    built_in = tmp_path / "usr/lib/modules/6.12/modules.builtin"
    built_in.parent.mkdir(parents=True)
    built_in.write_text("kernel/fs/fuse/fuse-x.ko\n")
    assert main(tmp_path, tmp_path / "alarms") == 0
    assert (tmp_path / "alarms").read_text().splitlines() == [
        "module nothing could not be loaded (kernel.modules)",
        "the kernel has no net.core.*_min (kernel.sysctl)",
        "the kernel has no vm.lacking (kernel.sysctl)",
    ]


def test_options_that_a_module_has_not_taken_are_alarms(tmp_path):
    options = {
        "kvm-intel": {"nested": True, "ept": True, "label": "a b", "vmentry_l1d_flush": "cond"},
        "unloaded": {"x": 1},
        "drv": {"queues": 8, "mask": 16},
    }
    (file,) = kernel.node_render(State(sections={"kernel": {"options": options, "blacklist": ["mei"]}}))
    path = tmp_path / file.path.lstrip("/")
    path.parent.mkdir(parents=True)
    path.write_text(file.contents)
    shown = {
        "kvm_intel": {"nested": "N", "ept": "Y", "label": "x", "vmentry_l1d_flush": "always"},
        "drv": {"queues": "4", "mask": "0x10"},
    }
    for module, parameters in shown.items():
        folder = tmp_path / "sys/module" / module / "parameters"
        folder.mkdir(parents=True)
        for name, value in parameters.items():
            (folder / name).write_text(f"{value}\n")
    assert missing(tmp_path) == (
        "kvm-intel has nested=N and not 1 (kernel.options): where the initrd loads it, write "
        "kvm-intel.nested=1 in boot.append",
        "drv has queues=4 and not 8 (kernel.options): where the initrd loads it, write drv.queues=8 in "
        "boot.append",
    )


def test_without_settings_there_is_nothing_to_say(tmp_path):
    assert main(tmp_path, tmp_path / "alarms") == 0
    assert not (tmp_path / "alarms").exists()
