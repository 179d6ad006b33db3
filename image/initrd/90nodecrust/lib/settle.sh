# shellcheck shell=bash
# What the words of the network leave open, once all of them are read: which interface is meant, and what doesn't go
# together.
# shellcheck disable=SC2034,SC2004 # LINK_LOCAL_ONLY is for network.sh; the tables have names for keys

# top_links: what is made here and has nothing made above it.
top_links() {
    local name
    for name in "${LINKS[@]}"; do
        [[ ${LINK_KIND[$name]} == card || -n ${LINK_MASTER[$name]:-} || -n ${LINK_UPPERS[$name]:-} ]] ||
            printf '%s\n' "$name"
    done
}

# Gives what was said without an interface to one: to those on top of what is made here, else to the card that
# the machine booted over, else (DHCP and its like only) to every card.
settle_links() {
    local word name place
    local -a tops
    mapfile -t tops < <(top_links)
    place=${BOOT_MAC:+@boot}
    # Without a word on addresses DHCP is meant, as with dracut.
    [[ -n ${LINK_WAYS[*]} || ${#GENERIC_IPS[@]} -gt 0 ]] || GENERIC_IPS=(ip=dhcp)
    for word in "${GENERIC_IPS[@]}"; do
        split_fields "${word#ip=}"
        if [[ ${#FIELDS[@]} -eq 1 ]]; then
            [[ ${#tops[@]} -gt 0 ]] || tops=("${place:-@any}")
            for name in "${tops[@]}"; do
                add_link "$name"
                add_way "$word" "$name" "${FIELDS[0]}"
            done
        elif [[ ${#tops[@]} -eq 1 && ${tops[0]} != @any ]]; then
            read_ip_in_full "$word" "${tops[0]}"
        elif [[ ${#tops[@]} -eq 0 && -n $place ]]; then
            read_ip_in_full "$word" "$place"
        else
            network_problem "'$word' doesn't say which interface gets the address. Name it in the sixth field."
        fi
    done
    settle_routes
    check_links
}

# A route without an interface goes where its gateway was given, which is the first one with an address.
settle_routes() {
    local name route
    for route in "${OPEN_ROUTES[@]}"; do
        for name in "${LINKS[@]}"; do
            [[ -n ${LINK_ADDRESSES[$name]:-}${LINK_WAYS[$name]:-} ]] || continue
            LINK_ROUTES[$name]+=$route$'\n'
            continue 2
        done
        network_problem "'rd.route=' names no interface, and none has an address."
    done
}

check_links() {
    local name master
    for name in "${LINKS[@]}"; do
        master=${LINK_MASTER[$name]:-}
        if [[ -n $master && -n ${LINK_WAYS[$name]:-} ]]; then
            network_problem "'$name' is a port of ${master#* }, so it can't have an address: give it to ${master#* }."
        fi
        if [[ $master == Bond* && ${LINK_KIND[$name]} != card ]]; then
            network_problem "'$name' can't be a port of ${master#* }: ports of a bond are cards."
        fi
        if [[ -n $master && -n ${LINK_UPPERS[$name]:-} ]]; then
            network_problem "'$name' is a port of ${master#* }, so no VLAN can be on it: put it on ${master#* }."
        fi
        [[ ${LINK_WAYS[$name]:-} != *link6* ]] || LINK_LOCAL_ONLY=yes
    done
    for name in "${LINKS[@]}"; do
        [[ ${LINK_WAYS[$name]:-} != *dhcp* && ${LINK_WAYS[$name]:-} != *auto6* && -z ${LINK_ADDRESSES[$name]:-} ]] ||
            LINK_LOCAL_ONLY=''
    done
}
