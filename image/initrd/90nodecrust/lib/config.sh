# shellcheck shell=bash
# CONFIG, the partition with the state: the right one is chosen, checked and mounted. Never a reason to stop.

CONFIG_TYPE=8d1f4a39-5f3c-4e5a-9d0b-6e6f64650001
ROOT_TYPE=8d1f4a39-5f3c-4e5a-9d0b-6e6f64650000
# What else of a node a disk may hold (node/model/layout.py): root slots, LOGGING and DATA have types of ours.
NODE_TYPES="$ROOT_TYPE 8d1f4a39-5f3c-4e5a-9d0b-6e6f64650002 8d1f4a39-5f3c-4e5a-9d0b-6e6f64650003"

CONFIG_DEVICE=''
# How long a disk is waited for on which other partitions say that this machine has been a node.
LEFTOVER_WAIT_S=${LEFTOVER_WAIT_S:-30}

# One line a partition: path|label|type|disk. lsblk's pairs keep empty columns apart.
list_partitions() {
    lsblk --pairs --noheadings --paths --output PATH,PARTLABEL,PARTTYPE,PKNAME |
        sed -n 's/^PATH="\([^"]*\)" PARTLABEL="\([^"]*\)" PARTTYPE="\([^"]*\)" PKNAME="\([^"]*\)".*$/\1|\2|\3|\4/p'
}

# signs_of_config: sets SIGN to `config` where a disk has that partition, to `leftover` where one has others of a node.
signs_of_config() {
    local path label type parent
    SIGN=''
    while IFS='|' read -r path label type parent; do
        type=${type,,}
        if [[ $label == CONFIG && $type == "$CONFIG_TYPE" ]]; then
            SIGN=config
            return 0
        elif [[ " $NODE_TYPES " == *" ${type:-none} "* ]]; then
            SIGN=leftover
        fi
    done < <(list_partitions)
}

# Waits for a disk that comes late (a controller that starts its disks one by one, a SAN), but only where CONFIG is
# expected: node.config.wait=SECONDS says so, or a disk with other partitions of a node does. A slot lies on the same
# disk as its CONFIG, so that is there.
wait_for_config() {
    local waited=0 wait_s why
    [[ $IMAGE_KIND != slot ]] || return 0
    while signs_of_config; do
        wait_s=${CONFIG_WAIT:-0} why="node.config.wait=$wait_s"
        if [[ $SIGN == leftover ]] && ((wait_s < LEFTOVER_WAIT_S)); then
            wait_s=$LEFTOVER_WAIT_S why='a disk here has other partitions of a node'
        fi
        [[ $SIGN != config ]] && ((waited < wait_s)) || return 0
        ((waited % 10 != 0)) ||
            say "Waiting for the disk with the partition CONFIG, $waited of $wait_s s ($why). Block devices: $(describe_devices)"
        sleep 1
        waited=$((waited + 1))
    done
}

# choose_config: sets CONFIG_DEVICE, or says why there is none. A node that boots from a slot takes that of its own
# disk; another one with the same label is somebody else's, and said.
choose_config() {
    local path label type parent slot_disk='' leftover=''
    local -a own=() others=()
    CONFIG_DEVICE=''
    [[ $IMAGE_KIND != slot ]] ||
        slot_disk=$(lsblk --raw --noheadings --paths --nodeps --output PKNAME "$ROOT_DEVICE")
    while IFS='|' read -r path label type parent; do
        type=${type,,}
        if [[ $label == CONFIG && $type == "$CONFIG_TYPE" ]]; then
            [[ -n $slot_disk && $parent == "$slot_disk" ]] && own+=("$path") || others+=("$path")
        elif [[ " $NODE_TYPES " == *" ${type:-none} "* ]]; then
            leftover=${leftover:-$parent}
        fi
    done < <(list_partitions)
    if [[ -n $slot_disk ]]; then
        choose_of_own_disk "$slot_disk"
    else
        choose_of_any_disk "$leftover"
    fi
}

# choose_of_own_disk DISK
choose_of_own_disk() {
    local found="${others[*]}"
    case ${#own[@]} in
        0) alarm "$1, which this node runs from, has no CONFIG partition: the node starts without its stored configuration.${found:+ Those of other disks are not used: $found.}" ;;
        1)
            CONFIG_DEVICE=${own[0]}
            [[ -z $found ]] || alarm "Another disk has a CONFIG partition too ($found). It is not used: this node's is $CONFIG_DEVICE, on the disk that it runs from."
            ;;
        *) alarm "$1 has several CONFIG partitions (${own[*]}), so none is used: the node starts without its stored configuration." ;;
    esac
}

# choose_of_any_disk LEFTOVER-DISK
choose_of_any_disk() {
    local path
    local -a mine=()
    case ${#others[@]} in
        0)
            if [[ -n $1 ]]; then
                alarm "$1 has partitions of a node and no disk has CONFIG: if this is that node, its stored configuration is lost. It starts without one."
            elif ((${CONFIG_WAIT:-0} > 0)); then
                alarm "No disk with the partition CONFIG came within the $CONFIG_WAIT s of node.config.wait: the node starts without its stored configuration. Block devices: $(describe_devices)"
            fi
            return 0
            ;;
        1)
            CONFIG_DEVICE=${others[0]}
            return 0
            ;;
    esac
    for path in "${others[@]}"; do
        ! is_of_this_machine "$path" || mine+=("$path")
    done
    if [[ ${#mine[@]} -eq 1 ]]; then
        CONFIG_DEVICE=${mine[0]}
        alarm "Several disks have a CONFIG partition (${others[*]}). $CONFIG_DEVICE is used, since it was installed on this machine."
    else
        alarm "Several disks have a CONFIG partition (${others[*]}), so none is used: the node starts without its stored configuration."
    fi
}

# is_of_this_machine DEVICE: whether the state on it was installed on this machine, as far as the firmware tells
# machines apart.
is_of_this_machine() {
    local look=$NODE_RUN/look machine='' uuid=''
    [[ -r $SYS/class/dmi/id/product_uuid ]] && read -r uuid <"$SYS/class/dmi/id/product_uuid"
    # All zeroes or ones is what firmware says that doesn't know.
    [[ ${uuid,,} =~ [1-9a-e] ]] || return 1
    mkdir -p "$look"
    mount -t ext4 -o ro,noload,nodev,nosuid,noexec "$1" "$look" || return 1
    machine=$(sed -n "s/^  machine: ['\"]\{0,1\}\([0-9A-Fa-f-]*\).*/\1/p" "$look/node.yaml" 2>/dev/null)
    umount "$look"
    [[ ${machine,,} == "${uuid,,}" ]]
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

# Mounts CONFIG at SYSROOT/config where there is one for this node.
mount_config() {
    udevadm settle --timeout=10 || :
    wait_for_config
    choose_config
    [[ -n $CONFIG_DEVICE ]] || return 0
    mkdir -p "$SYSROOT/config"
    if check_config "$CONFIG_DEVICE" && mount_as rw; then
        :
    elif mount_as ro,noload; then
        # Its keys and addresses can be read: a node that can't change is better than one that can't be reached.
        alarm "CONFIG ($CONFIG_DEVICE) can only be read: what is changed on this node is lost at its next start."
    else
        alarm "CONFIG ($CONFIG_DEVICE) can't be mounted: the node starts without its stored configuration."
        return 0
    fi
    printf '%s\n' "$CONFIG_DEVICE" >"$NODE_RUN/config-device"
    tell_of_own_root
    keep_machine_id
}

# Where a root lies beside CONFIG and another one was booted (an installer, over the network or from a stick), this
# start is none of the node's: `own-root` names the disk, so that nobody registers it or counts it as one.
tell_of_own_root() {
    local path label type parent disk='' found
    [[ $IMAGE_KIND != slot ]] || return 0
    found=$(list_partitions)
    while IFS='|' read -r path label type parent; do
        [[ $path != "$CONFIG_DEVICE" ]] || disk=$parent
    done <<<"$found"
    [[ -n $disk ]] || return 0
    while IFS='|' read -r path label type parent; do
        if [[ ${type,,} == "$ROOT_TYPE" && $parent == "$disk" ]]; then
            printf '%s\n' "$disk" >"$NODE_RUN/own-root"
            return 0
        fi
    done <<<"$found"
}

# mount_as OPTIONS
mount_as() {
    mount -t ext4 -o "$1,noatime,nodev,nosuid,noexec" "$CONFIG_DEVICE" "$SYSROOT/config"
}

# The machine ID outlives reboots, so that the journal and DHCP know the node again. It must be there before
# systemd starts. A mount alone is no state: only an installed node has one to keep.
keep_machine_id() {
    local kept=$SYSROOT/config/machine-id machine_id=''
    [[ ! -r $kept ]] || read -r machine_id <"$kept" || :
    if [[ ! $machine_id =~ ^[0-9a-f]{32}$ ]]; then
        [[ -e $SYSROOT/config/node.yaml ]] || compgen -G "$SYSROOT/config/history/*.yaml" >/dev/null || return 0
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
