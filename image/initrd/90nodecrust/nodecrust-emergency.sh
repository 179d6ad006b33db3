#!/bin/bash
# Stands in for systemd's emergency shell, which would open a root shell without a password or stop without a word.
# A shell is to be had by the kernel argument rd.systemd.debug_shell, as systemd documents it.
set -u

# shellcheck source=/dev/null
. "${NODECRUST_INITRD:-/usr/lib/nodecrust/initrd}/console.sh"

main() {
    local failed unit _
    failed=''
    while read -r unit _; do
        failed+="${failed:+, }$unit"
    done < <(systemctl list-units --failed --plain --no-legend)
    say "The start of this machine has stopped before its root was ready. Failed: ${failed:-nothing that systemd names}."
    say "It is tried again in 60 s. For a shell, restart it with the kernel argument rd.systemd.debug_shell."
    sleep 60
    systemctl reset-failed
    systemctl --no-block isolate initrd.target
}

main "$@"
