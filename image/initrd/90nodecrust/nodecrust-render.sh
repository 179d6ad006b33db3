#!/bin/bash
# Runs `nodectl boot` in the new root, where the plugins render the stored configuration into /etc. When that fails
# the last good rendering is used, without any plugin; when even that fails, DHCP and the stored keys. The node comes
# up reachable in any case, and an alarm says why it isn't as it should be.
set -u -o pipefail

here=${NODECRUST_INITRD:-/usr/lib/nodecrust/initrd}
for part in console addresses bond links settle network_files cmdline network root rescue pace; do
    # shellcheck source=/dev/null
    . "$here/$part.sh"
done

RENDER_TIMEOUT_S=${RENDER_TIMEOUT_S:-30}
LAST_GOOD_TIMEOUT_S=${LAST_GOOD_TIMEOUT_S:-12}

# The unit has a mount namespace of its own, so nothing has to be taken down.
bind_kernel_filesystems() {
    local folder
    for folder in dev proc sys run; do
        mount --rbind "/$folder" "$SYSROOT/$folder" || return 1
    done
}

# run_nodectl SECONDS ARGUMENT...: `nodectl boot`; WHY has the reason of a failure, the whole is in the journal.
run_nodectl() {
    local status=0 limit=$1 log=$NODE_RUN/render.log
    shift
    timeout -k 2 "$limit" chroot "$SYSROOT" /usr/bin/nodectl boot "$@" >"$log" 2>&1 || status=$?
    [[ ! -s $log ]] || cat "$log"
    WHY=$(why "$status" "$limit" "$log")
    return "$status"
}

# why STATUS SECONDS LOG: nodectl says the reason in the line with its name; of a Python that dies it is the last.
why() {
    local line last='' said=''
    case $1 in
        124) last="it took longer than $2 s" ;;
        137) last="it was killed, by the kernel or for taking longer than $2 s" ;;
        *)
            while IFS= read -r line; do
                [[ -z $line ]] || last=$line
                [[ $line != 'nodectl: '* ]] || said=${said:-${line#nodectl: }}
            done <"$3"
            last=${said:-${last:-exit status $1}}
            ;;
    esac
    printf '%s\n' "$last"
}

# DHCP on every card, and networkd running whether or not the root image starts it by itself.
fall_back() {
    write_dhcp_network 90-nodecrust-fallback.network
    mkdir -p "$RUN/systemd/system/multi-user.target.wants"
    ln -sf /usr/lib/systemd/system/systemd-networkd.service "$RUN/systemd/system/multi-user.target.wants/"
    restore_access
}

main() {
    local words reason
    [[ -x $SYSROOT/usr/bin/nodectl ]] || return 0 # an appliance without the node's software renders nothing
    WHY='its folders could not be mounted'
    if bind_kernel_filesystems && run_nodectl "$(patience "$RENDER_TIMEOUT_S")"; then
        forget_network
        return 0
    fi
    reason=$WHY
    words='Look at journalctl -b -u nodecrust-render.'
    if [[ -e $SYSROOT/config/last-good.json ]] && run_nodectl "$(patience "$LAST_GOOD_TIMEOUT_S")" --last-good; then
        forget_network
        alarm "The stored configuration could not be rendered ($reason); the node starts as it last started well. $words"
    elif fall_back; then
        alarm "The stored configuration could not be rendered ($reason); the node starts with DHCP and the accounts of its last good start. $words"
    else
        alarm "The stored configuration could not be rendered ($reason); the node starts with DHCP. $words"
    fi
}

[[ ${BASH_SOURCE[0]} != "$0" ]] || main "$@"
