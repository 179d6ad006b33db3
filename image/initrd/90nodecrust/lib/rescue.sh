# shellcheck shell=bash
# Where no Python comes up at all: who may log in, from what the last good start left on CONFIG for this shell.

# restore_access: SSH host keys, and the files of last-good.access (node/boot/last_good.py says what it holds).
restore_access() {
    local config=$SYSROOT/config line kind='' mode='' path='' text=''
    restore_host_keys "$config/ssh"
    [[ -r $config/last-good.access ]] || return 1
    while IFS= read -r line; do
        if [[ $line == ' '* ]]; then
            text+=${line# }$'\n'
            continue
        fi
        put_access_file "$kind" "$mode" "$path" "$text"
        read -r kind mode path <<<"$line"
        text=''
    done <"$config/last-good.access"
    put_access_file "$kind" "$mode" "$path" "$text"
}

restore_host_keys() {
    local key
    mkdir -p "$SYSROOT/etc/ssh"
    for key in "$1"/ssh_host_*_key "$1"/ssh_host_*_key.pub; do
        [[ -s $key ]] || continue
        rm -f "$SYSROOT/etc/ssh/${key##*/}"
        (umask 077 && cat "$key" >"$SYSROOT/etc/ssh/${key##*/}")
    done
}

# put_access_file KIND MODE PATH TEXT: nothing of a record that is not whole is taken.
put_access_file() {
    local kind=$1 mode=$2 file=$SYSROOT$3 text=$4
    [[ $mode =~ ^[0-7]{4}$ && $3 == /etc/* && $3/ != */../* ]] || return 0
    mkdir -p "${file%/*}"
    case $kind in
        # In place, so that the image's owner and mode stay.
        append) merge_lines "$file" "$text" ;;
        file)
            rm -f "$file"
            (umask 077 && printf '%s' "$text" >"$file")
            chmod "$mode" "$file"
            ;;
    esac
}

# merge_lines FILE TEXT: each line of TEXT for the one of FILE with the same first colon-separated field, or at the end.
merge_lines() {
    local line merged=''
    local -A given=()
    local -a order=()
    while IFS= read -r line; do
        [[ -n $line ]] || continue
        order+=("${line%%:*}")
        given[${line%%:*}]=$line
    done <<<"$2"
    if [[ -r $1 ]]; then
        while IFS= read -r line; do
            merged+=${given[${line%%:*}]:-$line}$'\n'
            unset "given[${line%%:*}]"
        done <"$1"
    fi
    for line in "${order[@]}"; do
        [[ -z ${given[$line]:-} ]] || merged+=${given[$line]}$'\n'
    done
    printf '%s' "$merged" >"$1"
}
