# shellcheck shell=bash
# Stacks the root: the squashfs below, a tmpfs above; and leaves word of it for the node.

SYSROOT=${SYSROOT:-/sysroot}

# mount_root: ROOT_PATH read-only with an overlay at SYSROOT; fails where it is no root image.
mount_root() {
    mkdir -p "$NODE_RUN/lower" "$NODE_RUN/overlay"
    # Without static device nodes nothing loads it by asking for /dev/loop-control.
    modprobe loop
    # A file needs a loop device, a slot is a device already. The superblock has the image's length.
    if [[ -b $ROOT_PATH ]]; then
        mount -t squashfs -o ro "$ROOT_PATH" "$NODE_RUN/lower"
    else
        mount -t squashfs -o ro,loop "$ROOT_PATH" "$NODE_RUN/lower"
    fi || return 1
    mount -t tmpfs -o mode=0755,size=50% nodecrust-overlay "$NODE_RUN/overlay" || return 1
    mkdir -p "$NODE_RUN/overlay/upper" "$NODE_RUN/overlay/work"
    chmod 0755 "$NODE_RUN/overlay/upper"
    mount -t overlay -o "lowerdir=$NODE_RUN/lower,upperdir=$NODE_RUN/overlay/upper,workdir=$NODE_RUN/overlay/work" \
        nodecrust-root "$SYSROOT"
}

unmount_root() {
    umount "$SYSROOT" "$NODE_RUN/overlay" "$NODE_RUN/lower" 2>/dev/null || :
}

# Modules of another kernel than the one that runs mean no network and no disks after switch-root.
check_kernel() {
    [[ -d $SYSROOT/usr/lib/modules/$(uname -r) ]] ||
        alarm "The root image has no modules for the kernel that runs ($(uname -r)): kernel, initrd and root image are not of one build."
}

# Leaves /run/node/image.json: what the node runs from, for the installer and for `nodectl status`.
write_image_json() {
    local sha256=null device=null location=$IMAGE
    [[ -z $IMAGE_SHA256 ]] || sha256=$(json_string "$IMAGE_SHA256")
    [[ -z $ROOT_DEVICE ]] || device=$(json_string "$ROOT_DEVICE")
    [[ $IMAGE_KIND != url ]] || location=$(public_url "$IMAGE")
    printf '{"source":%s,"location":%s,"sha256":%s,"size":%s,"path":%s,"device":%s,"kernel":%s}\n' \
        "$(json_string "$IMAGE_KIND")" "$(json_string "$location")" "$sha256" "$ROOT_SIZE" \
        "$(json_string "$ROOT_PATH")" "$device" "$(json_string "$(uname -r)")" >"$NODE_RUN/image.json.new"
    mv "$NODE_RUN/image.json.new" "$NODE_RUN/image.json"
    # For units, whose conditions can't read JSON.
    [[ $IMAGE_KIND != slot ]] || printf '%s\n' "$ROOT_PATH" >"$NODE_RUN/slot"
}
