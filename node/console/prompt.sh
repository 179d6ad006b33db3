#!/bin/sh
# What a getty's unit runs in the place of agetty: the node's console and then the log-in prompt, whatever became of
# the console. The arguments are agetty's.
set -u
run=${NODECRUST_RUN:-/run/node}
read -r arguments <"${NODECRUST_CMDLINE:-/proc/cmdline}" || :
case " $arguments " in
*" node.console=login "*) ;;
*)
	# It shows a node: one that runs from its disk, or that the installer has let run. Before that the lines are the
	# installer's. A console that can't even start must not stand in the way of who wants to mend it.
	if [ -e "$run/slot" ] || [ -e "$run/let-run" ]; then
		nodectl console --prompt || :
	fi
	;;
esac
exec agetty "$@"
