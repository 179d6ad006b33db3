#!/bin/sh
# What a getty's unit runs in the place of agetty: the node's console and then the log-in prompt, whatever became of
# the console. The arguments are agetty's.
set -u
read -r arguments <"${NODECRUST_CMDLINE:-/proc/cmdline}" || :
case " $arguments " in
*" node.console=login "*) ;;
# A console that can't even start must not stand in the way of who wants to mend it.
*) nodectl console --prompt || : ;;
esac
exec agetty "$@"
