# shellcheck shell=bash
# Finds the root image on a boot medium (LABEL=) or in a slot (PARTUUID=).

# What is found is left in ROOT_PATH, ROOT_SIZE and ROOT_DEVICE for root.sh.
# shellcheck disable=SC2034

MEDIUM=${MEDIUM:-$NODE_RUN/medium}
DEVICE_WAIT_S=${DEVICE_WAIT_S:-10}

# devices_with COLUMN VALUE: the device nodes whose LABEL, PARTUUID ... has this value, one a line.
devices_with() {
    local path value
    while read -r path value; do
        [[ ${value,,} != "${2,,}" ]] || printf '%s\n' "$path"
    done < <(lsblk --raw --noheadings --paths --output "PATH,$1")
}

# Prints the block devices for a person: "/dev/sda 8G, /dev/sr0 1G NODE_1234".
describe_devices() {
    local path size label words=''
    while read -r path size label; do
        words+="${words:+, }$path $size${label:+ $label}"
    done < <(lsblk --raw --noheadings --paths --output PATH,SIZE,LABEL)
    printf '%s\n' "${words:-none}"
}

# wait_for_devices COLUMN VALUE: sets DEVICES to all that have it, once there is one; says what there is meanwhile.
wait_for_devices() {
    local waited=0
    while :; do
        udevadm settle --timeout="$DEVICE_WAIT_S" || :
        mapfile -t DEVICES < <(devices_with "$1" "$2")
        [[ ${#DEVICES[@]} -eq 0 ]] || return 0
        ((waited % DEVICE_WAIT_S != 0 || waited == 0)) ||
            say "No device with $1=$2 after $waited s. Block devices: $(describe_devices)"
        sleep 1
        waited=$((waited + 1))
    done
}

# try_medium DEVICE: mounts it read-only at MEDIUM where it has the image that was asked for.
try_medium() {
    local file=$MEDIUM/live/root.squashfs
    mkdir -p "$MEDIUM"
    if ! mount -o ro,nodev,nosuid "$1" "$MEDIUM" 2>/dev/null; then
        say "$1 can't be mounted."
        return 1
    fi
    if [[ ! -f $file ]]; then
        say "$1 has no /live/root.squashfs."
    elif [[ -n $IMAGE_SIZE && $(file_size "$file") != "$IMAGE_SIZE" ]]; then
        say "$1: /live/root.squashfs has $(file_size "$file") bytes; node.image.size says $IMAGE_SIZE."
    elif ! sha256_matches "$file"; then
        say "$1: /live/root.squashfs is damaged or another image. SHA-256 expected: $IMAGE_SHA256"
        say "$1: SHA-256 found:    $FOUND_SHA256"
    else
        ROOT_PATH=$file ROOT_SIZE=$(file_size "$file") ROOT_DEVICE=$1
        return 0
    fi
    umount "$MEDIUM"
    return 1
}

# Comes back with a checked image on the mounted medium. Of several with the same label the one with the right
# image is taken.
obtain_by_label() {
    local device
    say "Looking for the boot medium ${IMAGE#LABEL=}"
    while :; do
        wait_for_devices LABEL "${IMAGE#LABEL=}"
        for device in "${DEVICES[@]}"; do
            try_medium "$device" && return 0
        done
        say "No medium with ${IMAGE} holds the image that was asked for; looking again in 10 s."
        sleep 10
    done
}

# try_slot DEVICE: whether its first IMAGE_SIZE bytes are the image that was asked for.
try_slot() {
    local length
    length=$(blockdev --getsize64 "$1" 2>/dev/null) || length=0
    if ((length < IMAGE_SIZE)); then
        say "$1 has $length bytes, less than the $IMAGE_SIZE of node.image.size."
        return 1
    fi
    if ! sha256_matches "$1" "$IMAGE_SIZE"; then
        say "The root image on $1 is damaged or another one. SHA-256 expected: $IMAGE_SHA256"
        say "$1: SHA-256 found:    $FOUND_SHA256"
        return 1
    fi
    ROOT_PATH=$1 ROOT_SIZE=$IMAGE_SIZE ROOT_DEVICE=$1
}

# Comes back with a checked slot.
obtain_by_partition() {
    local device
    while :; do
        wait_for_devices PARTUUID "${IMAGE#PARTUUID=}"
        [[ ${#DEVICES[@]} -eq 1 ]] || say "Several partitions have $IMAGE (a copied disk?): ${DEVICES[*]}"
        for device in "${DEVICES[@]}"; do
            try_slot "$device" && return 0
        done
        say "No partition with $IMAGE holds the image that was asked for; looking again in 15 s. Boot the other slot, or install anew from a stick or over PXE."
        sleep 15
    done
}
