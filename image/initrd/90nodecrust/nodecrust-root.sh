#!/bin/bash
# Gets the root image that the kernel command line asks for, checks it and stacks it on /sysroot. Whatever fails
# is said on every console and tried again: this never leaves a machine silent, and never mounts what it did not
# check.
set -u -o pipefail

here=${NODECRUST_INITRD:-/usr/lib/nodecrust/initrd}
for part in console addresses bond links settle network_files cmdline network download device root config plugins \
    pace; do
    # shellcheck source=/dev/null
    . "$here/$part.sh"
done

# Nothing can be done about a wrong command line but to say so, for as long as somebody may come and look.
refuse_request() {
    local problem
    while :; do
        say "This machine can't start: the kernel command line is not right."
        for problem in "${REQUEST_PROBLEMS[@]}"; do
            say "  - $problem"
        done
        say "Mend it in the boot menu or on the boot server and restart the machine. (Said again every 60 s.)"
        sleep 60
    done
}

obtain_image() {
    case $IMAGE_KIND in
        url)
            start_network
            obtain_by_url
            ;;
        medium) obtain_by_label ;;
        slot) obtain_by_partition ;;
    esac
}

main() {
    local warning
    mkdir -p "$NODE_RUN"
    note_pace
    read_request
    for warning in "${REQUEST_WARNINGS[@]}"; do
        say "$warning"
    done
    [[ -d /usr/lib/modules/$(uname -r) ]] ||
        say "The kernel ($(uname -r)) and this initrd are not of one build: expect missing drivers."
    [[ ${#REQUEST_PROBLEMS[@]} -eq 0 ]] || refuse_request
    mask_network_generator
    prepare_network
    obtain_image
    if ! mount_root || [[ ! -e $SYSROOT/sbin/init && ! -L $SYSROOT/sbin/init ]]; then
        unmount_root
        umount "$FETCHED" "$MEDIUM" 2>/dev/null
        say "The image from $(shown "$IMAGE") is not a root image of a node (no squashfs with an /sbin/init)."
        # systemd starts this service again, and the image is got anew.
        return 1
    fi
    check_kernel
    write_image_json
    mount_config
    obtain_plugins
    say "Root image checked and mounted ($(megabytes "$ROOT_SIZE")); starting the node."
}

main "$@"
