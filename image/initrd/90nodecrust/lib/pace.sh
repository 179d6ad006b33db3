# shellcheck shell=bash
# How slow this machine is, told by how long kernel and systemd took to our first line: 2 to 5 s on a server, a minute
# where a processor is emulated. Time limits that end what hangs must not end what is merely slow.

# Before anything is waited for, and only the first time: disks and servers say nothing about the processor.
note_pace() {
    local seconds _
    [[ -e $NODE_RUN/pace ]] || { read -r seconds _ <"$PROC/uptime" && printf '%s\n' "${seconds%.*}" >"$NODE_RUN/pace"; }
}

# patience SECONDS: the limit for what takes less than that on a server; up to four times as long on a slow machine.
patience() {
    local began=0 limit=$1
    [[ ! -s $NODE_RUN/pace ]] || read -r began <"$NODE_RUN/pace"
    # 10 s to our first line are slow enough for the limit as it is.
    ((began <= 10)) || limit=$(($1 * began / 10))
    printf '%s\n' "$((limit > 4 * $1 ? 4 * $1 : limit))"
}
