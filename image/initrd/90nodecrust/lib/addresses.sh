# shellcheck shell=bash
# What the words of the kernel command line are made of: fields, addresses, names.
# shellcheck disable=SC2034 # FIELDS and PREFIX are for who calls

# split_fields TEXT: sets FIELDS, split at colons outside of brackets; the brackets of IPv6 addresses are dropped.
split_fields() {
    local rest=$1
    FIELDS=()
    while :; do
        if [[ $rest =~ ^\[([^]]*)\](.*)$ ]]; then
            FIELDS+=("${BASH_REMATCH[1]}")
            rest=${BASH_REMATCH[2]}
            # A prefix length may follow, as in [2001:db8::1]/64.
            FIELDS[-1]+=${rest%%:*}
        else
            FIELDS+=("${rest%%:*}")
        fi
        [[ $rest == *:* ]] || return 0
        rest=${rest#*:}
    done
}

is_ipv4() {
    local octet
    local -a octets
    [[ $1 =~ ^[0-9]{1,3}(\.[0-9]{1,3}){3}$ ]] || return 1
    IFS=. read -r -a octets <<<"$1"
    for octet in "${octets[@]}"; do
        ((10#$octet <= 255)) || return 1
    done
}

# As strict as the words for a person need it; networkd checks it once more.
is_ipv6() {
    [[ $1 == *:*:* && $1 =~ ^[0-9a-fA-F:]+(\.[0-9]{1,3}){0,3}$ && $1 != *:::* ]]
}

is_address() {
    is_ipv4 "$1" || is_ipv6 "$1"
}

is_mac() {
    [[ ${1,,} =~ ^[0-9a-f]{2}(:[0-9a-f]{2}){5}$ ]]
}

is_number() {
    [[ $1 =~ ^[0-9]{1,9}$ ]]
}

# What the kernel takes for an interface's name, without what would be a pattern to networkd.
is_interface() {
    [[ $1 =~ ^[A-Za-z0-9_.@-]{1,15}$ && $1 != . && $1 != .. ]]
}

# prefix_length MASK ADDRESS: sets PREFIX from 24, 255.255.255.0 or, for IPv6, 64; fails where it is none.
prefix_length() {
    local octet bits=0 longest=32
    local -a octets
    ! is_ipv6 "$2" || longest=128
    if is_number "$1"; then
        PREFIX=$((10#$1))
        ((PREFIX <= longest))
        return
    fi
    is_ipv4 "$1" && ((longest == 32)) || return 1
    IFS=. read -r -a octets <<<"$1"
    for octet in "${octets[@]}"; do
        bits=$((bits << 8 | 10#$octet))
    done
    for ((PREFIX = 0; PREFIX <= 32; PREFIX++)); do
        ((bits != (0xffffffff << (32 - PREFIX) & 0xffffffff))) || return 0
    done
    return 1
}
