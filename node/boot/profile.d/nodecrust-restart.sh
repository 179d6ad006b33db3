# shellcheck shell=sh
# Asks whoever restarts the node from a terminal, where changes would be lost by it. Scripts and `ssh NODE reboot`
# are not asked: they don't read this, or have nobody who could answer.

# _nodecrust_asks COMMAND...: whether the command goes ahead.
_nodecrust_asks() {
    [ -t 0 ] && [ -t 2 ] || return 0
    if [ "$(id -u)" = 0 ]; then
        _nodecrust_lost=$(nodectl persist diff --lost 2>/dev/null)
    else
        _nodecrust_lost=$(command sudo nodectl persist diff --lost 2>/dev/null)
    fi
    [ -n "$_nodecrust_lost" ] || return 0
    printf '%s\n' 'These changes would be lost, since they are not kept:' >&2
    printf '%s\n' "$_nodecrust_lost" | head -n 15 | sed 's/^/  /' >&2
    printf '%s\n' 'nodectl persist add PATH keeps what is needed; nodectl persist diff shows all.' >&2
    printf '%s' 'Go on all the same? [y/N] ' >&2
    read -r _nodecrust_answer || _nodecrust_answer=''
    case $_nodecrust_answer in
        [yY] | [yY][eE][sS]) return 0 ;;
    esac
    printf '%s\n' 'Nothing was done.' >&2
    return 1
}

# _nodecrust_restarts COMMAND...: whether the command ends this start of the node.
_nodecrust_restarts() {
    case ${1##*/} in
        reboot | poweroff | halt) ;;
        shutdown)
            for _nodecrust_word; do
                case $_nodecrust_word in
                    -c | -k | --show | --help) return 1 ;;
                esac
            done
            return 0
            ;;
        systemctl)
            shift
            while [ "${1#-}" != "${1-}" ]; do shift; done
            case ${1-} in
                reboot | poweroff | halt | kexec | soft-reboot) ;;
                *) return 1 ;;
            esac
            ;;
        *) return 1 ;;
    esac
    case " $* " in
        *' --help '* | *' -h '*) return 1 ;;
    esac
    return 0
}

# _nodecrust_run COMMAND...: runs it, after a question where it needs one.
_nodecrust_run() {
    if _nodecrust_restarts "$@"; then
        _nodecrust_asks || return 1
    fi
    command "$@"
}

case $- in
    *i*)
        reboot() { _nodecrust_run reboot "$@"; }
        poweroff() { _nodecrust_run poweroff "$@"; }
        halt() { _nodecrust_run halt "$@"; }
        shutdown() { _nodecrust_run shutdown "$@"; }
        systemctl() { _nodecrust_run systemctl "$@"; }
        sudo() {
            if _nodecrust_restarts "$@"; then
                _nodecrust_asks || return 1
            fi
            command sudo "$@"
        }
        ;;
esac
