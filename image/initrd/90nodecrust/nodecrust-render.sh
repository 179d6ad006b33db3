#!/bin/bash
# Runs `nodectl boot` in the new root, where the plugins render the stored configuration into /etc. When that fails
# the node comes up all the same, with DHCP, and an alarm says why.
set -u -o pipefail

here=${NODECRUST_INITRD:-/usr/lib/nodecrust/initrd}
for part in console addresses bond links settle network_files cmdline network root; do
    # shellcheck source=/dev/null
    . "$here/$part.sh"
done

RENDER_TIMEOUT_S=30

# The unit has a mount namespace of its own, so nothing has to be taken down.
bind_kernel_filesystems() {
    local folder
    for folder in dev proc sys run; do
        mount --rbind "/$folder" "$SYSROOT/$folder" || return 1
    done
}

run_nodectl_boot() {
    # The last words of a failure are its reason; the whole is in the journal.
    timeout -k 2 "$RENDER_TIMEOUT_S" chroot "$SYSROOT" /usr/bin/nodectl boot >"$NODE_RUN/render.log" 2>&1
}

# DHCP on every card, and networkd running whether or not the root image starts it by itself.
fall_back() {
    write_dhcp_network 90-nodecrust-fallback.network
    mkdir -p /run/systemd/system/multi-user.target.wants
    ln -sf /usr/lib/systemd/system/systemd-networkd.service /run/systemd/system/multi-user.target.wants/
}

why() {
    local status=$1 line last=''
    case $status in
        124 | 137) last="it took longer than $RENDER_TIMEOUT_S s" ;;
        *)
            while IFS= read -r line; do
                [[ -z $line ]] || last=$line
            done <"$NODE_RUN/render.log"
            last=${last:-exit status $status}
            ;;
    esac
    printf '%s\n' "$last"
}

main() {
    local status=0
    [[ -x $SYSROOT/usr/bin/nodectl ]] || return 0 # an appliance without the node's software renders nothing
    bind_kernel_filesystems && run_nodectl_boot || status=$?
    [[ ! -s $NODE_RUN/render.log ]] || cat "$NODE_RUN/render.log"
    if ((status == 0)); then
        forget_network
        return 0
    fi
    fall_back
    alarm "The stored configuration could not be rendered ($(why "$status")); the node starts with DHCP. Look at journalctl -b -u nodecrust-render."
}

main "$@"
