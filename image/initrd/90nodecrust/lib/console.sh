# shellcheck shell=bash
# Words for the person before the machine: every line goes to every console and into the journal.

SYS=${SYS:-/sys}
DEV=${DEV:-/dev}
RUN=${RUN:-/run}
NODE_RUN=${NODE_RUN:-$RUN/node}

# A console that took longer than this is not waited for again: a serial line with nobody behind it must
# not slow the boot down.
CONSOLE_TIMEOUT_S=${CONSOLE_TIMEOUT_S:-2}

# Prints the names of the kernel's consoles, such as "tty0 ttyS0".
consoles() {
    local names=''
    if [[ -r $SYS/class/tty/console/active ]]; then
        read -r names <"$SYS/class/tty/console/active" || :
    fi
    printf '%s\n' "$names"
}

# write_console NAME LINE: one line on one console; remembers a console that does not take it in time.
write_console() {
    local stuck=$NODE_RUN/stuck-console-$1
    # The message is an argument, never part of the code.
    # shellcheck disable=SC2016
    if ! timeout -k 1 "$CONSOLE_TIMEOUT_S" "$BASH" -c 'printf "%s\n" "$2" >>"$1"' _ "$DEV/$1" "$2" 2>/dev/null; then
        : >"$stuck"
    fi
}

# say LINE...: the line on every console, at the same time.
say() {
    local console
    local -a writers=()
    printf '%s\n' "$*"
    for console in $(consoles); do
        write_console "$console" "nodecrust: $*" &
        [[ -e $NODE_RUN/stuck-console-$console ]] || writers+=("$!")
    done
    [[ ${#writers[@]} -eq 0 ]] || wait "${writers[@]}" || :
}

# alarm LINE...: words that must still be found once the node is up.
alarm() {
    mkdir -p "$NODE_RUN"
    printf '%s\n' "$*" >>"$NODE_RUN/alarms"
    say "ALARM: $*"
}

# Prints a byte count for people: decimal megabytes, as disks and networks count them.
megabytes() {
    printf '%d.%d MB' $(($1 / 1000000)) $(($1 % 1000000 / 100000))
}

# json_string TEXT: the text as a JSON string, quotes included.
json_string() {
    local text=$1
    text=${text//\\/\\\\}
    text=${text//\"/\\\"}
    printf '"%s"' "${text//[[:cntrl:]]/?}"
}

# Prints a URL without the user name and password it may carry.
public_url() {
    local scheme=${1%%://*} rest=${1#*://}
    local authority=${rest%%/*}
    printf '%s://%s%s\n' "$scheme" "${authority##*@}" "${rest#"$authority"}"
}
