# shellcheck shell=bash
# The network of the initrd: only started where the root image comes by URL, forgotten once the node has its own.

EARLY_LINKS=${EARLY_LINKS:-$NODE_RUN/early-links}
EARLY_CARDS=${EARLY_CARDS:-$NODE_RUN/early-cards}
ETHERNET_MTU=1500

# prepare_network: files for what the kernel command line says of the network, for us and for a node without state.
prepare_network() {
    local name
    # systemd's generator is run for ifname=, and reads ip= and bond= too.
    rm -f "$NETWORK_FILES"/7[01]-*.network "$NETWORK_FILES"/7[01]-*.netdev
    [[ -n $NETWORK_ARGUMENTS ]] || return 0
    write_network_files
    ! compgen -G "$NETWORK_FILES/$EARLY-*.link" >/dev/null || udevadm control --reload || :
    for name in "${LINKS[@]}"; do
        [[ $name == @* ]] || printf '%s %s\n' "${LINK_KIND[$name]}" "$name"
    done >"$EARLY_LINKS"
    [[ -z $EARLY_HOST_NAME ]] || printf '%s\n' "$EARLY_HOST_NAME" >"$NODE_RUN/hostname"
}

start_network() {
    : >>"$EARLY_LINKS"
    remember_cards
    [[ -n $NETWORK_ARGUMENTS ]] || write_dhcp_network 80-nodecrust-dhcp.network "$BOOT_MAC"
    systemctl start systemd-networkd.service
}

# remember_cards: the MTU of each card that is there, before networkd sets another; and what ip= asks for, for those
# that come later. Cards go by their index, since a name may still change.
remember_cards() {
    local card
    {
        for card in "$SYS"/class/net/*; do
            [[ ! -e $card/device || ! -r $card/mtu ]] || printf 'mtu %s %s\n' "$(<"$card/ifindex")" "$(<"$card/mtu")"
        done
        [[ ${#LINK_MTU[@]} -eq 0 ]] || printf 'mtu any %s\n' "$ETHERNET_MTU"
        [[ ${#LINK_MAC[@]} -eq 0 ]] || printf 'mac any %s\n' "${LINK_MAC[@]}"
    } >"$EARLY_CARDS"
}

# systemd's generator would make its own files of ip= and bond= once more, in the node.
mask_network_generator() {
    mkdir -p "$RUN/systemd/system"
    ln -sf /dev/null "$RUN/systemd/system/systemd-network-generator.service"
}

# forget_network: takes the initrd's network away, so that it doesn't stand beside the node's after switch-root.
# Where the node has no configuration of its own, what ip=, bond= and vlan= made stays: an installer that was given
# a static address still needs it.
forget_network() {
    rm -f "$NETWORK_FILES/80-nodecrust-dhcp.network"
    compgen -G "$SYSROOT/etc/netplan/*.yaml" >/dev/null || return 0
    rm -f "$NETWORK_FILES/$EARLY"-*
    [[ -e $EARLY_LINKS ]] && ! is_stateless || return 0
    # It would make them anew.
    systemctl stop systemd-networkd.socket systemd-networkd.service 2>/dev/null || :
    take_down_links
    rm -f "$EARLY_LINKS" "$EARLY_CARDS"
}

# Whether `nodectl boot` found no configuration that is kept: then the node's network is ours, but for the files.
is_stateless() {
    [[ $(cat "$NODE_RUN/rendered.json" 2>/dev/null) == *'"source": "none"'* ]]
}

# networkd changes neither the mode of a bond that is there nor the addresses of a card that it isn't told of.
take_down_links() {
    local kind name card
    while read -r kind name; do
        [[ $kind == card || ! -e $SYS/class/net/$name ]] || ip link delete dev "$name"
    done <"$EARLY_LINKS"
    for card in "$SYS"/class/net/*; do
        [[ -e $card/device ]] || continue
        ip address flush dev "${card##*/}" scope global
        ip -6 route flush dev "${card##*/}" proto ra
        give_back "$card"
    done
}

# give_back CARD: the MTU and the MAC address that it had before ip= or DHCP gave it others. networkd leaves both as
# they are where the node's own network says nothing of them.
give_back() {
    local name=${1##*/} index='' what whose value mtu='' mac=''
    [[ -r $EARLY_CARDS && -r $1/mtu ]] || return 0
    index=$(<"$1/ifindex")
    while read -r what whose value; do
        case "$what $whose" in
            "mtu $index") mtu=$value ;;
            'mtu any') mtu=${mtu:-$value} ;;
            'mac any') [[ $(<"$1/address") != "$value" ]] || mac=$value ;;
        esac
    done <"$EARLY_CARDS"
    [[ -z $mtu || $(<"$1/mtu") == "$mtu" ]] || ip link set dev "$name" mtu "$mtu"
    [[ -n $mac ]] || return 0
    # ip tells the card's own address where it has another one now. Few drivers change it while the link is up.
    mac=$(ip link show dev "$name" | sed -n 's/.* permaddr \([0-9a-f:]*\).*/\1/p')
    [[ -z $mac ]] || { ip link set dev "$name" down && ip link set dev "$name" address "$mac"; }
}

# There is no resolver in the initrd: names are asked for at the servers of the leases.
write_resolv_conf() {
    local line servers='' domains=''
    if [[ -r /run/systemd/netif/state ]]; then
        while read -r line; do
            case $line in
                DNS=*) servers=${line#DNS=} ;;
                DOMAINS=*) domains=${line#DOMAINS=} ;;
            esac
        done </run/systemd/netif/state
    fi
    {
        [[ -z $domains ]] || printf 'search %s\n' "$domains"
        # shellcheck disable=SC2086
        [[ -z $servers ]] || printf 'nameserver %s\n' $servers
    } >/etc/resolv.conf
}

# Succeeds once any card has an address beyond the link's own, or has that where ip=link6 asks for no other.
has_address() {
    local fields count=0
    while read -r fields; do
        [[ -n $fields ]] && count=$((count + 1))
    done <"$PROC/net/route"
    # The first line is a heading.
    [[ $count -gt 1 ]] && return 0
    [[ -r $PROC/net/if_inet6 ]] || return 1
    while read -r -a fields; do
        # The fourth field is the scope: 00 is global, 20 the link's.
        [[ ${fields[3]} == 00 || (-n $LINK_LOCAL_ONLY && ${fields[3]} == 20) ]] && return 0
    done <"$PROC/net/if_inet6"
    return 1
}

# Prints the cards with the state of their link: "eth0 (link up), eth1 (no link)".
describe_cards() {
    local card state words=''
    for card in "$SYS"/class/net/*; do
        # Type 1 is Ethernet; the loopback has another.
        [[ -r $card/type && $(<"$card/type") == 1 ]] || continue
        state='no link'
        [[ $(cat "$card/carrier" 2>/dev/null) == 1 ]] && state='link up'
        words+="${words:+, }${card##*/} ($state)"
    done
    printf '%s\n' "${words:-no network card that the kernel has a driver for}"
}

# Prints the cards that the kernel command line names and this machine doesn't have, as a sentence.
describe_missing_cards() {
    local name words=''
    for name in "${LINKS[@]}"; do
        [[ ${LINK_KIND[$name]} != card || $name == @* || -e $SYS/class/net/$name ]] || words+="${words:+, }$name"
    done
    [[ -z $words ]] || printf '. The kernel command line names %s, which is not there\n' "$words"
}

# Waits until there is an address, saying every few seconds what it waits for.
wait_for_address() {
    local started=$SECONDS told=0
    until has_address; do
        if ((SECONDS - started >= told + 5)); then
            told=$((SECONDS - started))
            say "Waiting for a network address since $told s: $(describe_cards)$(describe_missing_cards)"
        fi
        sleep 0.2
    done
}
