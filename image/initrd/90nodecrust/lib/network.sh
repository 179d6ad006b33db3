# shellcheck shell=bash
# The network of the initrd: only started where the root image comes by URL.

NETWORK_FILES=${NETWORK_FILES:-/run/systemd/network}

# write_dhcp_network FILE [MAC]: DHCP and router advertisements on that card, else on every Ethernet card.
# The lease is asked for by MAC, since the initrd's machine ID is another than the node's.
write_dhcp_network() {
    mkdir -p "$NETWORK_FILES"
    {
        printf '[Match]\n'
        # Kind=!* leaves bonds, bridges and VLANs alone: those that are needed have files of their own.
        if [[ -n ${2:-} ]]; then
            printf 'MACAddress=%s\nType=ether\nKind=!*\n' "$2"
        else
            printf 'Type=ether\nKind=!*\n'
        fi
        printf '\n[Network]\nDHCP=yes\nIPv6AcceptRA=yes\n'
        printf '\n[DHCPv4]\nClientIdentifier=mac\nUseDomains=yes\n'
    } >"$NETWORK_FILES/$1"
}

# systemd-network-generator has read ip=, bond= and vlan=; this adds what it leaves out.
amend_generated_network() {
    local file
    for file in "$NETWORK_FILES"/7*.network; do
        [[ -e $file ]] || continue
        mkdir -p "$file.d"
        printf '[DHCPv4]\nClientIdentifier=mac\n' >"$file.d/nodecrust.conf"
    done
}

start_network() {
    if [[ -n $NETWORK_ARGUMENTS ]]; then
        amend_generated_network
    else
        write_dhcp_network 80-nodecrust-dhcp.network "$BOOT_MAC"
    fi
    systemctl start systemd-networkd.service
}

# Takes the initrd's own DHCP away, so that it doesn't stand beside the node's network after switch-root. What ip=,
# bond= and vlan= made stays: an installer that was given a static address still needs it, and the node's own files
# (10-netplan-*) come before.
forget_network() {
    rm -f "$NETWORK_FILES/80-nodecrust-dhcp.network"
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

# Succeeds once any card has an address beyond the link's own.
has_address() {
    local fields count=0
    while read -r fields; do
        [[ -n $fields ]] && count=$((count + 1))
    done <"$PROC/net/route"
    # The first line is a heading.
    [[ $count -gt 1 ]] && return 0
    [[ -r $PROC/net/if_inet6 ]] || return 1
    while read -r -a fields; do
        # The fourth field is the scope: 00 is global.
        [[ ${fields[3]} == 00 ]] && return 0
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

# Waits until there is an address, saying every few seconds what it waits for.
wait_for_address() {
    local started=$SECONDS told=0
    until has_address; do
        if ((SECONDS - started >= told + 5)); then
            told=$((SECONDS - started))
            say "Waiting for a network address since $told s: $(describe_cards)"
        fi
        sleep 0.2
    done
}
