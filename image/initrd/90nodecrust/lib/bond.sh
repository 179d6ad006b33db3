# shellcheck shell=bash
# The options of the bonding driver (kernel: Documentation/networking/bonding.rst) as systemd-networkd has them
# (systemd.netdev(5), [Bond]). Its own generator drops them, and networkd never mends a bond that is there.

# Choices in the driver's order, since it takes their number for the word.
BOND_MODES='balance-rr active-backup balance-xor broadcast 802.3ad balance-tlb balance-alb'
BOND_HASHES='layer2 layer3+4 layer2+3 encap2+3 encap3+4'

# bond_choice KEY VALUE "CHOICES": prints the setting for a word or its number.
bond_choice() {
    local word number=0
    for word in $3; do
        if [[ $2 == "$word" || $2 == "$number" ]]; then
            printf '%s=%s\n' "$1" "$word"
            return 0
        fi
        number=$((number + 1))
    done
    return 1
}

# bond_number KEY VALUE MOST [UNIT]
bond_number() {
    is_number "$2" && ((10#$2 <= $3)) && printf '%s=%s%s\n' "$1" "$((10#$2))" "${4:-}"
}

bond_targets() {
    local target
    for target in ${1//;/ }; do
        is_ipv4 "$target" || return 1
    done
    [[ -n $1 ]] && printf 'ARPIPTargets=%s\n' "${1//;/ }"
}

# bond_option NAME VALUE: prints the lines of [Bond] for an option; fails where the value can't be honoured, with
# status 2 where the option itself is unknown. `primary` and `active_slave` are settings of their ports.
bond_option() {
    local value=$2
    case $1 in
        mode) bond_choice Mode "$value" "$BOND_MODES" ;;
        xmit_hash_policy) bond_choice TransmitHashPolicy "$value" "$BOND_HASHES" ;;
        lacp_rate) bond_choice LACPTransmitRate "$value" 'slow fast' ;;
        ad_select) bond_choice AdSelect "$value" 'stable bandwidth count' ;;
        fail_over_mac) bond_choice FailOverMACPolicy "$value" 'none active follow' ;;
        arp_validate) bond_choice ARPValidate "$value" 'none active backup all' ;;
        arp_all_targets) bond_choice ARPAllTargets "$value" 'any all' ;;
        primary_reselect) bond_choice PrimaryReselectPolicy "$value" 'always better failure' ;;
        all_slaves_active) bond_choice AllSlavesActive "$value" 'no yes' ;;
        tlb_dynamic_lb) bond_choice DynamicTransmitLoadBalancing "$value" 'no yes' ;;
        miimon) bond_number MIIMonitorSec "$value" 2147483 ms ;;
        updelay) bond_number UpDelaySec "$value" 2147483 ms ;;
        downdelay) bond_number DownDelaySec "$value" 2147483 ms ;;
        peer_notif_delay) bond_number PeerNotifyDelaySec "$value" 300000 ms ;;
        arp_interval) bond_number ARPIntervalSec "$value" 2147483 ms ;;
        lp_interval) bond_number LearnPacketIntervalSec "$value" 2147483 ;;
        ad_actor_sys_prio) bond_number AdActorSystemPriority "$value" 65535 ;;
        ad_user_port_key) bond_number AdUserPortKey "$value" 1023 ;;
        min_links) bond_number MinLinks "$value" 255 ;;
        resend_igmp) bond_number ResendIGMP "$value" 255 ;;
        packets_per_slave) bond_number PacketsPerSlave "$value" 65535 ;;
        num_grat_arp | num_unsol_na | num_peer_notif) bond_number GratuitousARP "$value" 255 ;;
        arp_missed_max) bond_number ARPMissedMax "$value" 255 ;;
        arp_ip_target) bond_targets "$value" ;;
        ad_actor_system) is_mac "$value" && printf 'AdActorSystem=%s\n' "${value,,}" ;;
        # networkd can't set these; what the driver does anyway may be said.
        use_carrier | lacp_active) [[ $value == 1 || $value == on ]] ;;
        coupled_control) [[ $value == 1 || $value == on ]] ;;
        *) return 2 ;;
    esac
}
