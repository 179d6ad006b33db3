# shellcheck shell=bash
# The table of interfaces as files of systemd-networkd (systemd.network(5), systemd.netdev(5)). They are written by
# us, since systemd's own generator knows no bond options, no BOOTIF and no identification by MAC.

NETWORK_FILES=${NETWORK_FILES:-/run/systemd/network}
# By this the files are told from the node's own.
EARLY=70-nodecrust-early

# write_dhcp_network FILE [MAC]: DHCP and router advertisements on that card, else on every Ethernet card.
# The lease is asked for by MAC, since the initrd's machine ID is another than the node's.
write_dhcp_network() {
    mkdir -p "$NETWORK_FILES"
    {
        match_cards "${2:-}"
        printf '\n[Network]\nDHCP=yes\nIPv6AcceptRA=yes\n'
        # The node goes on with the same lease.
        printf '\n[DHCPv4]\nClientIdentifier=mac\nSendRelease=no\nUseDomains=yes\n'
    } >"$NETWORK_FILES/$1"
}

# match_cards [MAC]: Kind=!* leaves bonds, bridges and VLANs alone: those that are needed have files of their own.
match_cards() {
    printf '[Match]\n'
    [[ -z ${1:-} ]] || printf 'MACAddress=%s\n' "$1"
    printf 'Type=ether\nKind=!*\n'
}

# write_network_files: a .network for every interface of the table, and a .netdev for each that is made.
write_network_files() {
    local name
    mkdir -p "$NETWORK_FILES"
    for name in "${LINKS[@]}"; do
        [[ ${LINK_KIND[$name]} == card ]] || netdev_text "$name" >"$NETWORK_FILES/$EARLY-$name.netdev"
        network_text "$name" >"$NETWORK_FILES/$EARLY-${name#@}.network"
        # udev would give a bond and a bridge an address made of the machine ID, which the initrd doesn't know.
        case ${LINK_KIND[$name]} in
            bond | bridge)
                printf '[Match]\nOriginalName=%s\n\n[Link]\nMACAddressPolicy=none\n' "$name" \
                    >"$NETWORK_FILES/$EARLY-$name.link"
                ;;
        esac
    done
}

netdev_text() {
    local kind=${LINK_KIND[$1]}
    printf '[NetDev]\nName=%s\nKind=%s\n' "$1" "$kind"
    # The address of its first port then, the same at every boot, so that a lease stays.
    [[ $kind == vlan || -n ${LINK_MAC[$1]:-} ]] || printf 'MACAddress=none\n'
    [[ -z ${LINK_MTU[$1]:-} ]] || printf 'MTUBytes=%s\n' "${LINK_MTU[$1]}"
    case $kind in
        bond) printf '\n[Bond]\n%s' "${LINK_BOND[$1]:-}" ;;
        vlan) printf '\n[VLAN]\nId=%s\n' "${LINK_VLAN_ID[$1]}" ;;
        bridge) printf '\n[Bridge]\nSTP=no\n' ;;
    esac
}

network_text() {
    case $1 in
        @boot) match_cards "$BOOT_MAC" ;;
        @any) match_cards ;;
        *) printf '[Match]\nName=%s\n' "$1" ;;
    esac
    link_section "$1"
    network_section "$1"
    address_sections "$1"
    route_sections "$1"
    dhcp_sections "$1"
}

link_section() {
    [[ -n ${LINK_MTU[$1]:-}${LINK_MAC[$1]:-} ]] || return 0
    printf '\n[Link]\n'
    [[ -z ${LINK_MTU[$1]:-} ]] || printf 'MTUBytes=%s\n' "${LINK_MTU[$1]}"
    [[ -z ${LINK_MAC[$1]:-} ]] || printf 'MACAddress=%s\n' "${LINK_MAC[$1]}"
}

network_section() {
    local ways=${LINK_WAYS[$1]:-} upper server
    printf '\n[Network]\nDHCP=%s\n' "$(dhcp_families "$ways")"
    # An interface that only carries others has no address of its own.
    case "$ways|${LINK_ADDRESSES[$1]:-}" in
        *dhcp* | *auto6* | *link6* | *:*) printf 'LinkLocalAddressing=ipv6\n' ;;
        *) printf 'LinkLocalAddressing=no\n' ;;
    esac
    [[ $ways == *auto6* || $ways == *dhcp* ]] && printf 'IPv6AcceptRA=yes\n' || printf 'IPv6AcceptRA=no\n'
    [[ -z ${LINK_MASTER[$1]:-} ]] || printf '%s=%s\n' "${LINK_MASTER[$1]% *}" "${LINK_MASTER[$1]#* }"
    printf '%s' "${LINK_PORT[$1]:-}"
    for upper in ${LINK_UPPERS[$1]:-}; do
        printf 'VLAN=%s\n' "$upper"
    done
    [[ -n $ways ]] || return 0
    for server in ${LINK_DNS[$1]:-} $NAME_SERVERS; do
        printf 'DNS=%s\n' "$server"
    done
}

dhcp_families() {
    case $1 in
        *dhcp4*dhcp6* | *dhcp6*dhcp4*) echo yes ;;
        *dhcp4*) echo ipv4 ;;
        *dhcp6*) echo ipv6 ;;
        *) echo no ;;
    esac
}

address_sections() {
    local address peer
    while read -r address peer; do
        [[ -n $address ]] || continue
        printf '\n[Address]\nAddress=%s\n' "$address"
        [[ -z $peer ]] || printf 'Peer=%s\n' "$peer"
    done <<<"${LINK_ADDRESSES[$1]:-}"
}

route_sections() {
    local route
    while read -r route; do
        [[ -n $route ]] || continue
        printf '\n[Route]\n%s\n' "${route/ /$'\n'}"
        # A gateway beyond the network that the address is in, as point-to-point links have it.
        [[ $route != *Gateway=* ]] || ! is_narrow "$1" || printf 'GatewayOnLink=yes\n'
    done <<<"${LINK_ROUTES[$1]:-}"
}

# is_narrow INTERFACE: whether an address of its is one of a network of its own, so that no gateway is within.
is_narrow() {
    [[ ${LINK_ADDRESSES[$1]:-} =~ /(32|128)($|[[:space:]]) ]]
}

dhcp_sections() {
    local ways=${LINK_WAYS[$1]:-}
    if [[ $ways == *dhcp4* ]]; then
        # The node goes on with the same lease.
        printf '\n[DHCPv4]\nClientIdentifier=mac\nSendRelease=no\nUseDomains=yes\n'
        [[ $PEER_DNS == yes ]] || printf 'UseDNS=no\n'
        [[ -z $EARLY_HOST_NAME ]] || printf 'Hostname=%s\n' "$EARLY_HOST_NAME"
    fi
    if [[ $ways == *dhcp6* ]]; then
        # Asked for by name, so it doesn't wait for a router to say so.
        printf '\n[DHCPv6]\nSendRelease=no\nWithoutRA=solicit\n'
        [[ $PEER_DNS == yes ]] || printf 'UseDNS=no\n'
    fi
    if [[ $ways == *auto6* || $ways == *dhcp* ]]; then
        printf '\n[IPv6AcceptRA]\nDHCPv6Client=%s\n' "$([[ $ways == *dhcp* ]] && echo yes || echo no)"
        [[ $PEER_DNS == yes ]] || printf 'UseDNS=no\n'
    fi
    return 0
}
