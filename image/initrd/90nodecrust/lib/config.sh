# shellcheck shell=bash
# CONFIG, the partition with the state: found by its GPT name and type, checked and mounted. Never a reason to stop.

CONFIG_TYPE=8d1f4a39-5f3c-4e5a-9d0b-6e6f64650001

# config_devices: the CONFIG partitions; for a node that boots from a slot only the one of the same disk.
config_devices() {
    local path label type parent slot_disk=''
    if [[ $IMAGE_KIND == slot ]]; then
        slot_disk=$(lsblk --raw --noheadings --paths --nodeps --output PKNAME "$ROOT_DEVICE")
    fi
    while IFS='|' read -r path label type parent; do
        [[ $label == CONFIG && ${type,,} == "$CONFIG_TYPE" ]] || continue
        [[ -z $slot_disk || $parent == "$slot_disk" ]] || continue
        printf '%s\n' "$path"
    done < <(list_partitions)
}

# One line a partition: path|label|type|disk. lsblk's pairs keep empty columns apart.
list_partitions() {
    lsblk --pairs --noheadings --paths --output PATH,PARTLABEL,PARTTYPE,PKNAME |
        sed -n 's/^PATH="\([^"]*\)" PARTLABEL="\([^"]*\)" PARTTYPE="\([^"]*\)" PKNAME="\([^"]*\)".*$/\1|\2|\3|\4/p'
}

# check_config DEVICE: replays the journal and mends what can be mended; fails where it can't.
check_config() {
    local status=0
    timeout 60 e2fsck -p "$1" >"$NODE_RUN/config-fsck.log" 2>&1 || status=$?
    # Bit 4: errors that `-p` leaves to a person; there is none here.
    if ((status & 4)); then
        status=0
        timeout 120 e2fsck -y "$1" >>"$NODE_RUN/config-fsck.log" 2>&1 || status=$?
        alarm "The filesystem on CONFIG ($1) had errors; they were mended as well as could be ($NODE_RUN/config-fsck.log)."
    fi
    ((status < 4))
}

# Mounts CONFIG at SYSROOT/config where there is exactly one.
mount_config() {
    local -a found
    udevadm settle --timeout=10 || :
    mapfile -t found < <(config_devices)
    case ${#found[@]} in
        0) return 0 ;;
        1) ;;
        *)
            alarm "Several disks have a CONFIG partition (${found[*]}), so none is used: the node starts without its stored configuration."
            return 0
            ;;
    esac
    mkdir -p "$SYSROOT/config"
    if check_config "${found[0]}" &&
        mount -t ext4 -o rw,noatime,nodev,nosuid,noexec "${found[0]}" "$SYSROOT/config"; then
        printf '%s\n' "${found[0]}" >"$NODE_RUN/config-device"
        keep_machine_id
    else
        alarm "CONFIG (${found[0]}) can't be mounted: the node starts without its stored configuration."
    fi
}

# The machine ID outlives reboots, so that the journal and DHCP know the node again. It must be there before
# systemd starts. A mount alone is no state: only an installed node has one to keep.
keep_machine_id() {
    local kept=$SYSROOT/config/machine-id machine_id=''
    [[ -e $SYSROOT/config/node.yaml ]] || return 0
    [[ ! -r $kept ]] || read -r machine_id <"$kept" || :
    if [[ ! $machine_id =~ ^[0-9a-f]{32}$ ]]; then
        machine_id=$(<"$PROC/sys/kernel/random/uuid")
        machine_id=${machine_id//-/}
        replace_file "$kept" "$machine_id" || alarm "The machine ID could not be written to CONFIG."
    fi
    printf '%s\n' "$machine_id" >"$SYSROOT/etc/machine-id"
    chmod 0444 "$SYSROOT/etc/machine-id"
}

# replace_file FILE LINE: the whole file or the old one, whenever the power goes.
replace_file() {
    printf '%s\n' "$2" >"$1.new" && sync "$1.new" && mv "$1.new" "$1" && sync "${1%/*}"
}
