"""sysctl settings that operators set often, for hints about misspelt ones only."""

from __future__ import annotations

# Documentation/admin-guide/sysctl and Documentation/networking/ip-sysctl of Linux 6.12.
KNOWN = frozenset(
    """
    fs.aio-max-nr fs.file-max fs.inotify.max_queued_events fs.inotify.max_user_instances
    fs.inotify.max_user_watches fs.nr_open fs.protected_fifos fs.protected_hardlinks fs.protected_regular
    fs.protected_symlinks fs.suid_dumpable kernel.core_pattern kernel.core_uses_pid kernel.dmesg_restrict
    kernel.hung_task_timeout_secs kernel.kptr_restrict kernel.msgmax kernel.msgmnb kernel.nmi_watchdog
    kernel.numa_balancing kernel.panic kernel.panic_on_oops kernel.perf_event_paranoid kernel.pid_max
    kernel.printk kernel.randomize_va_space kernel.sched_autogroup_enabled kernel.sem kernel.shmall
    kernel.shmmax kernel.shmmni kernel.softlockup_panic kernel.sysrq kernel.threads-max
    kernel.unprivileged_bpf_disabled kernel.watchdog kernel.yama.ptrace_scope
    net.bridge.bridge-nf-call-arptables net.bridge.bridge-nf-call-ip6tables net.bridge.bridge-nf-call-iptables
    net.core.bpf_jit_harden net.core.default_qdisc net.core.netdev_budget net.core.netdev_max_backlog
    net.core.optmem_max net.core.rmem_default net.core.rmem_max net.core.somaxconn net.core.wmem_default
    net.core.wmem_max net.ipv4.icmp_echo_ignore_broadcasts net.ipv4.ip_forward net.ipv4.ip_local_port_range
    net.ipv4.ip_local_reserved_ports net.ipv4.ip_nonlocal_bind net.ipv4.neigh.default.gc_thresh1
    net.ipv4.neigh.default.gc_thresh2 net.ipv4.neigh.default.gc_thresh3 net.ipv4.tcp_congestion_control
    net.ipv4.tcp_fin_timeout net.ipv4.tcp_keepalive_intvl net.ipv4.tcp_keepalive_probes
    net.ipv4.tcp_keepalive_time net.ipv4.tcp_max_syn_backlog net.ipv4.tcp_mtu_probing net.ipv4.tcp_rmem
    net.ipv4.tcp_syncookies net.ipv4.tcp_timestamps net.ipv4.tcp_tw_reuse net.ipv4.tcp_wmem
    net.ipv6.conf.all.disable_ipv6 net.ipv6.conf.all.forwarding net.ipv6.conf.default.disable_ipv6
    net.netfilter.nf_conntrack_max vm.dirty_background_bytes vm.dirty_background_ratio vm.dirty_bytes
    vm.dirty_expire_centisecs vm.dirty_ratio vm.dirty_writeback_centisecs vm.max_map_count vm.min_free_kbytes
    vm.nr_hugepages vm.overcommit_memory vm.overcommit_ratio vm.panic_on_oom vm.swappiness
    vm.vfs_cache_pressure vm.zone_reclaim_mode
    """.split()  # noqa: SIM905 - ninety names read best as words
)
# The folders of /proc/sys in Debian's kernel and its modules.
ROOTS = ("abi", "crypto", "debug", "dev", "fs", "kernel", "net", "sunrpc", "user", "vm")
