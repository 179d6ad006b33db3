# shellcheck shell=bash
# ip=, bond=, vlan=, bridge= and their like (dracut.cmdline(7)), read into one table of interfaces. What can't be
# honoured is a problem, in words, before any network is up: a card with another address than was asked for is worse.
# shellcheck disable=SC2034 # network_files.sh writes what is read here

# By interface: bond, vlan, bridge or card; @boot is the card that the machine booted over, @any every card.
declare -A LINK_KIND=() LINK_MASTER=() LINK_PARENT=() LINK_VLAN_ID=() LINK_BOND=() LINK_PORT=()
declare -A LINK_MTU=() LINK_MAC=() LINK_WAYS=() LINK_ADDRESSES=() LINK_ROUTES=() LINK_DNS=() LINK_UPPERS=()
LINKS=()
NETWORK_PROBLEMS=() NETWORK_WARNINGS=()
NAME_SERVERS='' PEER_DNS=yes EARLY_HOST_NAME='' LINK_LOCAL_ONLY=''
# ip= without an interface, which is chosen once all the others are known.
GENERIC_IPS=() OPEN_ROUTES=()

network_problem() {
    NETWORK_PROBLEMS+=("$1")
}

# add_link NAME [KIND]: enters an interface once; KIND says what it is made as.
add_link() {
    if [[ -z ${LINK_KIND[$1]:-} ]]; then
        LINKS+=("$1")
        LINK_KIND[$1]=${2:-card}
    elif [[ -n ${2:-} && ${LINK_KIND[$1]} != card ]]; then
        network_problem "'$1' is made twice, as ${LINK_KIND[$1]} and as $2. Leave one of them."
    elif [[ -n ${2:-} ]]; then
        LINK_KIND[$1]=$2
    fi
}

# check_interface NAME WORD
check_interface() {
    is_interface "$1" && return 0
    network_problem "'$2': '$1' is no name of an interface."
    return 1
}

# enslave WORD MASTER KIND "PORTS"
enslave() {
    local port
    for port in ${4//,/ }; do
        check_interface "$port" "$1" || continue
        if [[ $port == "$2" ]]; then
            network_problem "'$1': '$port' can't be its own port."
            continue
        fi
        if [[ -n ${LINK_MASTER[$port]:-} ]]; then
            network_problem "'$1': '$port' belongs to ${LINK_MASTER[$port]#* } already."
            continue
        fi
        add_link "$port"
        LINK_MASTER[$port]="$3 $2"
    done
}

read_bond() {
    local word=$1 value=${1#bond} name ports='' options='' mtu='' actor='' rest
    value=${value#=}
    value=${value:-bond0:eth0,eth1:mode=balance-rr}
    # The only option with colons of its own.
    if [[ $value =~ ad_actor_system=([0-9a-fA-F:]{17}) ]]; then
        actor=${BASH_REMATCH[1]}
        value=${value/"$actor"/actor}
    fi
    IFS=: read -r name ports options mtu rest <<<"$value"
    options=${options//actor_system=actor/actor_system=$actor}
    check_interface "$name" "$word" || return 0
    if [[ -n $rest ]]; then
        network_problem "'$word' has more parts than NAME:PORTS:OPTIONS:MTU."
        return 0
    fi
    add_link "$name" bond
    enslave "$word" "$name" Bond "${ports:-eth0,eth1}"
    read_bond_options "$word" "$name" "${options:-mode=balance-rr}"
    [[ -z $mtu ]] || read_mtu "$word" "$name" "$mtu"
}

# read_bond_options WORD BOND OPTIONS
read_bond_options() {
    local option name value line status
    for option in ${3//,/ }; do
        name=${option%%=*} value=${option#*=}
        if [[ $name == primary || $name == active_slave ]]; then
            if [[ ${LINK_MASTER[$value]:-} != "Bond $2" ]]; then
                network_problem "'$1': $option names no port of $2."
            elif [[ $name == primary ]]; then
                LINK_PORT[$value]+=$'PrimarySlave=yes\n'
            else
                LINK_PORT[$value]+=$'ActiveSlave=yes\n'
            fi
            continue
        fi
        status=0
        line=$(bond_option "$name" "$value") || status=$?
        case $status in
            0) [[ -z $line ]] || LINK_BOND[$2]+=$line$'\n' ;;
            2) network_problem "'$1': the option '$name' is not one that can be set here." ;;
            *) network_problem "'$1': '$option' can't be honoured; '$value' is no value for it here." ;;
        esac
    done
}

read_vlan() {
    local word=$1 name parent rest
    IFS=: read -r name parent rest <<<"${1#vlan=}"
    if [[ -z $name || -z $parent || -n $rest || $name == "$parent" ]]; then
        network_problem "'$word' is not of the form vlan=NAME:INTERFACE, such as vlan=vlan5:eth0."
        return 0
    fi
    check_interface "$name" "$word" && check_interface "$parent" "$word" || return 0
    if [[ ! $name =~ (^|[^0-9])0*([1-9][0-9]{0,3})$ ]] || ((BASH_REMATCH[2] > 4094)); then
        network_problem "'$word': the name must end in the VLAN's number, 1 to 4094, as in vlan5 or eth0.5."
        return 0
    fi
    add_link "$name" vlan
    LINK_VLAN_ID[$name]=${BASH_REMATCH[2]}
    add_link "$parent"
    LINK_PARENT[$name]=$parent
    LINK_UPPERS[$parent]+="$name "
}

read_bridge() {
    local word=$1 value=${1#bridge} name ports rest
    value=${value#=}
    IFS=: read -r name ports rest <<<"${value:-br0:eth0}"
    check_interface "$name" "$word" || return 0
    if [[ -n $rest ]]; then
        network_problem "'$word' is not of the form bridge=NAME:PORT,PORT."
        return 0
    fi
    add_link "$name" bridge
    enslave "$word" "$name" Bridge "${ports:-eth0}"
}

# read_mtu WORD INTERFACE MTU
read_mtu() {
    if ! is_number "$3" || ((10#$3 < 68 || 10#$3 > 65535)); then
        network_problem "'$1': '$3' is no MTU."
    elif [[ -n ${LINK_MTU[$2]:-} && ${LINK_MTU[$2]} != "$3" ]]; then
        network_problem "'$1': $2 has an MTU of ${LINK_MTU[$2]} already."
    else
        LINK_MTU[$2]=$3
    fi
}

# read_mac WORD INTERFACE MAC
read_mac() {
    if is_mac "$3"; then
        LINK_MAC[$2]=${3,,}
    else
        network_problem "'$1': '$3' is no MAC address."
    fi
}

# add_way WORD INTERFACE WAY: how the interface comes to an address beside those that are given.
add_way() {
    case $3 in
        none | off) LINK_WAYS[$2]+="none " ;;
        dhcp) LINK_WAYS[$2]+="dhcp4 " ;;
        on | any) LINK_WAYS[$2]+="dhcp4 auto6 " ;;
        dhcp6 | either6) LINK_WAYS[$2]+="dhcp6 auto6 " ;;
        auto6) LINK_WAYS[$2]+="auto6 " ;;
        link6 | link-local) LINK_WAYS[$2]+="link6 " ;;
        ibft | single-dhcp)
            network_problem "'$1': '$3' is not supported. Say dhcp, or give the address."
            ;;
        *) network_problem "'$1': '$3' is no way to an address: there are none, off, dhcp, on, any, dhcp6, auto6, either6 and link6." ;;
    esac
}

is_way() {
    [[ $1 =~ ^(none|off|dhcp|on|any|dhcp6|auto6|either6|link6|link-local|ibft|single-dhcp)$ ]]
}

read_ip() {
    local word=$1
    split_fields "${word#ip=}"
    if [[ ${#FIELDS[@]} -eq 1 ]] && is_way "${FIELDS[0]}"; then
        GENERIC_IPS+=("$word")
    elif is_way "${FIELDS[1]:-}"; then
        read_ip_of_interface "$word"
    elif [[ ${#FIELDS[@]} -ge 4 ]]; then
        if [[ -n ${FIELDS[5]:-} ]]; then
            read_ip_in_full "$word" "${FIELDS[5]}"
        else
            GENERIC_IPS+=("$word")
        fi
    else
        network_problem "'$word' is of no form that dracut.cmdline(7) has, such as ip=dhcp, ip=eth0:dhcp or ip=ADDRESS::GATEWAY:NETMASK:HOSTNAME:INTERFACE:none."
    fi
}

# ip=INTERFACE:WAY[:MTU[:MAC]]
read_ip_of_interface() {
    local word=$1 name=${FIELDS[0]}
    check_interface "$name" "$word" || return 0
    add_link "$name"
    add_way "$word" "$name" "${FIELDS[1]}"
    read_mtu_and_mac "$word" "$name" 2
}

# read_mtu_and_mac WORD INTERFACE FIRST: the fields from FIRST on are an MTU and a MAC address, whose own colons
# have made six of it.
read_mtu_and_mac() {
    local mac
    [[ -z ${FIELDS[$3]:-} ]] || read_mtu "$1" "$2" "${FIELDS[$3]}"
    mac=$(IFS=:; printf '%s' "${FIELDS[*]:$3+1}")
    [[ -z $mac ]] || read_mac "$1" "$2" "$mac"
}

# ip=ADDRESS:[PEER]:GATEWAY:NETMASK:HOSTNAME:INTERFACE:WAY[:MTU[:MAC]] or [:DNS1[:DNS2]]. Of pxelinux' four fields
# the second is the boot server, not a peer.
read_ip_in_full() {
    local word=$1 name=$2 address=${FIELDS[0]} peer=${FIELDS[1]} gateway=${FIELDS[2]} mask=${FIELDS[3]}
    local host=${FIELDS[4]:-} way=${FIELDS[6]:-}
    [[ $name == @* ]] || check_interface "$name" "$word" || return 0
    add_link "$name"
    [[ ${#FIELDS[@]} -gt 4 ]] || peer=''
    if [[ -n $address ]]; then
        read_address "$word" "$name" "$address" "$peer" "$mask"
    elif [[ -n $peer$gateway$mask ]]; then
        network_problem "'$word' has a peer, a gateway or a netmask, and no address."
    fi
    if [[ -z $gateway ]]; then
        :
    elif is_address "$gateway"; then
        LINK_ROUTES[$name]+="Gateway=$gateway"$'\n'
    else
        network_problem "'$word': '$gateway' is no address of a gateway."
    fi
    [[ -z $host ]] || read_host_name "$word" "$host"
    [[ -n $way || -z $address ]] || way=none
    way=${way:-dhcp}
    add_way "$word" "$name" "$way"
    if is_address "${FIELDS[7]:-}" || is_address "${FIELDS[8]:-}"; then
        read_dns "$word" "$name" "${FIELDS[@]:7}"
    else
        read_mtu_and_mac "$word" "$name" 7
    fi
}

# read_address WORD INTERFACE ADDRESS PEER NETMASK
read_address() {
    local address=$3 mask=$5 peer=$4
    if [[ $address == */* ]]; then
        mask=${mask:-${address#*/}}
        address=${address%%/*}
    fi
    if ! is_address "$address"; then
        network_problem "'$1': '$address' is no address. An IPv6 address stands in brackets."
        return 0
    fi
    if [[ -n $peer ]] && ! is_address "${peer%%/*}"; then
        network_problem "'$1': '$peer' is no address of a peer."
        return 0
    fi
    [[ $peer != */* ]] || mask=${peer#*/}
    if ! prefix_length "$mask" "$address"; then
        network_problem "'$1': '$mask' is no netmask. Write one such as 255.255.255.0 or 24."
        return 0
    fi
    LINK_ADDRESSES[$2]+="$address/$PREFIX${peer:+ ${peer%%/*}/$PREFIX}"$'\n'
}

read_host_name() {
    if [[ $2 =~ ^[A-Za-z0-9]([A-Za-z0-9.-]{0,62}[A-Za-z0-9])?$ ]]; then
        EARLY_HOST_NAME=$2
    else
        network_problem "'$1': '$2' is no host name."
    fi
}

# read_dns WORD INTERFACE SERVER...
read_dns() {
    local word=$1 name=$2 server number=0
    shift 2
    for server in "$@"; do
        number=$((number + 1))
        [[ -n $server ]] || continue
        if ! is_address "$server"; then
            network_problem "'$word': '$server' is no address of a name server."
        elif ((number > 2)); then
            network_problem "'$word': a time server is not taken from here. Say node.network.ntp=$server."
        else
            LINK_DNS[$name]+="$server "
        fi
    done
}

read_nameserver() {
    local server=${1#nameserver=}
    server=${server#[}
    server=${server%]}
    if is_address "$server"; then
        NAME_SERVERS+="$server "
    else
        network_problem "'$1': '$server' is no address of a name server."
    fi
}

# rd.route=NET/PREFIX:GATEWAY[:INTERFACE]
read_route() {
    local word=$1 net gateway name lines
    split_fields "${word#rd.route=}"
    net=${FIELDS[0]} gateway=${FIELDS[1]:-} name=${FIELDS[2]:-}
    if ! is_address "${net%%/*}" || ! prefix_length "${net#*/}" "${net%%/*}" ||
        { [[ -n $gateway ]] && ! is_address "$gateway"; } || [[ -z $gateway$name ]]; then
        network_problem "'$word' is not of the form rd.route=NETWORK/PREFIX:GATEWAY:INTERFACE."
        return 0
    fi
    lines="Destination=${net%%/*}/$PREFIX${gateway:+ Gateway=$gateway}"
    if [[ -n $name ]]; then
        check_interface "$name" "$word" || return 0
        add_link "$name"
        LINK_ROUTES[$name]+=$lines$'\n'
    else
        OPEN_ROUTES+=("$lines")
    fi
}

# ifname=NAME:MAC
check_new_name() {
    local value=${1#ifname=}
    is_interface "${value%%:*}" && is_mac "${value#*:}" && return 0
    network_problem "'$1' is not of the form ifname=NAME:MAC, as in ifname=lan0:52:54:00:12:34:56."
}

# Whether a word is one of these; then it is read.
read_network_word() {
    # A pattern is no list of the files here.
    local -
    set -f
    case $1 in
        ip=*) read_ip "$1" ;;
        bond | bond=*) read_bond "$1" ;;
        vlan=*) read_vlan "$1" ;;
        bridge | bridge=*) read_bridge "$1" ;;
        team | team=*) network_problem "'$1': there are no team devices here. Say bond=." ;;
        nameserver=*) read_nameserver "$1" ;;
        rd.route=*) read_route "$1" ;;
        rd.peerdns=0) PEER_DNS=no ;;
        ifname=*)
            # systemd's generator renames the card, and passes over what it can't read.
            check_new_name "$1"
            return 1
            ;;
        bootdev=*) NETWORK_WARNINGS+=("'$1' is not needed: a route goes where ip= and rd.route= say.") ;;
        *) return 1 ;;
    esac
}
