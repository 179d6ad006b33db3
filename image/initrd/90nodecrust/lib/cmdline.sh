# shellcheck shell=bash
# shellcheck disable=SC2034 # what is read here is for the other parts of the script
# The kernel command line: what root image was asked for, and everything that is wrong with the asking.

PROC=${PROC:-/proc}

# What `read_request` found, for the other parts of the script. IMAGE_KIND is url, medium, slot or "".
IMAGE='' IMAGE_KIND='' IMAGE_SHA256='' IMAGE_SIZE='' IMAGE_TRUST=''
CONFIG_WAIT=''
BOOT_MAC='' NETWORK_ARGUMENTS='' PLUGINS='' PLUGINS_SHA256=''
REQUEST_PROBLEMS=()
REQUEST_WARNINGS=()

# split_cmdline TEXT: sets WORDS, split as the kernel does, at white space outside double quotes.
split_cmdline() {
    local text=$1 word='' quoted='' character index
    WORDS=()
    for ((index = 0; index < ${#text}; index++)); do
        character=${text:index:1}
        case $quoted$character in
            '"' | 'q"') [[ $quoted ]] && quoted='' || quoted=q ;;
            [[:space:]])
                [[ -z $word ]] || WORDS+=("$word")
                word=''
                ;;
            *) word+=$character ;;
        esac
    done
    [[ -z $word ]] || WORDS+=("$word")
}

# take NAME VALUE: sets the variable NAME once; another value for it is a contradiction.
take() {
    local -n slot=$1
    local key=$3
    if [[ -n $slot && $slot != "$2" ]]; then
        REQUEST_PROBLEMS+=("$key= is there twice, as '$(shown "$slot")' and as '$(shown "$2")'. Leave one of them.")
    fi
    slot=$2
}

# Prints a value as it may be shown: a URL without its password.
shown() {
    case $1 in
        *://*) public_url "$1" ;;
        *) printf '%s\n' "$1" ;;
    esac
}

read_words() {
    local word value
    for word in "$@"; do
        value=${word#*=}
        case $word in
            node.image=*) take IMAGE "$value" node.image ;;
            node.image.sha256=*) take IMAGE_SHA256 "${value,,}" node.image.sha256 ;;
            node.image.size=*) take IMAGE_SIZE "$value" node.image.size ;;
            node.image.trust=*) take IMAGE_TRUST "$value" node.image.trust ;;
            node.image | node.image.*)
                REQUEST_PROBLEMS+=("'$word' is not known. There are node.image=, node.image.sha256=, node.image.size= and node.image.trust=.")
                ;;
            node.config.wait=*) CONFIG_WAIT=$value ;;
            # The last one stands: a wrong one is no reason to stop, lib/plugins.sh says so.
            node.plugins=*) PLUGINS=$value ;;
            node.plugins.sha256=*) PLUGINS_SHA256=${value,,} ;;
            BOOTIF=*) read_boot_interface "$value" ;;
            *) ! read_network_word "$word" || NETWORK_ARGUMENTS=yes ;;
        esac
    done
}

# PXELINUX writes the ARP hardware type (01, Ethernet) and the address with dashes.
read_boot_interface() {
    local address=${1,,}
    address=${address//-/:}
    if [[ $address =~ ^(01:)?([0-9a-f]{2}(:[0-9a-f]{2}){5})$ ]]; then
        BOOT_MAC=${BASH_REMATCH[2]}
    else
        REQUEST_WARNINGS+=("BOOTIF=$1 is not of the form 01-aa-bb-cc-dd-ee-ff, so every network card is asked for an address.")
    fi
}

# Sets IMAGE_KIND from IMAGE.
classify_image() {
    case $IMAGE in
        '')
            REQUEST_PROBLEMS+=("node.image= is missing: it says where the root image is (http://..., LABEL=... or PARTUUID=...).")
            ;;
        http://?* | https://?* | tftp://?*) IMAGE_KIND=url ;;
        LABEL=?*) IMAGE_KIND=medium ;;
        PARTUUID=?*) IMAGE_KIND=slot ;;
        *)
            REQUEST_PROBLEMS+=("node.image=$(shown "$IMAGE") is of no known form: http://, https://, tftp://, LABEL= or PARTUUID=.")
            ;;
    esac
}

# What is wrong with the network matters where it is needed: a node on its own disk has a configuration of its own.
check_network() {
    local problem
    [[ -z $NETWORK_ARGUMENTS ]] || settle_links
    REQUEST_WARNINGS+=("${NETWORK_WARNINGS[@]}")
    if [[ $IMAGE_KIND == slot ]]; then
        for problem in "${NETWORK_PROBLEMS[@]}"; do
            REQUEST_WARNINGS+=("$problem (It isn't needed here.)")
        done
        NETWORK_ARGUMENTS=''
    else
        REQUEST_PROBLEMS+=("${NETWORK_PROBLEMS[@]}")
    fi
}

check_request() {
    if [[ -n $IMAGE_SHA256 && ! $IMAGE_SHA256 =~ ^[0-9a-f]{64}$ ]]; then
        REQUEST_PROBLEMS+=("node.image.sha256=$IMAGE_SHA256 is not a SHA-256: that has 64 hexadecimal digits.")
    fi
    if [[ -n $IMAGE_SIZE && ! $IMAGE_SIZE =~ ^[1-9][0-9]{0,14}$ ]]; then
        REQUEST_PROBLEMS+=("node.image.size=$IMAGE_SIZE is not a number of bytes.")
    fi
    if [[ -n $IMAGE_TRUST && $IMAGE_TRUST != network ]]; then
        REQUEST_PROBLEMS+=("node.image.trust=$IMAGE_TRUST is not known: only 'network' is.")
    fi
    if [[ $IMAGE_KIND == slot && -z $IMAGE_SIZE ]]; then
        REQUEST_PROBLEMS+=("node.image.size= is missing: a root partition is longer than the image on it.")
    fi
    # A node without its configuration is better than none, so this stops nobody.
    if [[ -n $CONFIG_WAIT ]] && { [[ ! $CONFIG_WAIT =~ ^[1-9][0-9]{0,2}$ ]] || ((CONFIG_WAIT > 600)); }; then
        REQUEST_WARNINGS+=("node.config.wait=$CONFIG_WAIT is not a number of seconds from 1 to 600, so nothing is waited for.")
        CONFIG_WAIT=''
    fi
    check_trust
}

# Whoever owns the wire owns a node that takes an unchecked image from it.
check_trust() {
    case $IMAGE in
        http://* | tftp://*) ;;
        *) return 0 ;;
    esac
    [[ -z $IMAGE_SHA256 ]] || return 0
    if [[ $IMAGE_TRUST == network ]]; then
        REQUEST_WARNINGS+=("WARNING: the root image comes over ${IMAGE%%://*} unchecked (node.image.trust=network): whoever owns the network owns this node.")
    else
        REQUEST_PROBLEMS+=("node.image.sha256= is missing: an image over ${IMAGE%%://*} is not trusted without it. Add it, or node.image.trust=network where you trust every machine on this network.")
    fi
}

# Reads the command line into the variables above; REQUEST_PROBLEMS is empty where it makes sense.
read_request() {
    local text=''
    # Without a newline at its end `read` fails and has read all the same.
    read -r text <"$PROC/cmdline" || :
    split_cmdline "$text"
    read_words "${WORDS[@]}"
    classify_image
    check_request
    check_network
}
