#!/bin/sh
# Gives cobbler the fixed places that it wants, for this mount namespace alone; then runs what is asked for.
# namespace.sh FOLDER COMMAND...
set -eu
folder=$1
shift
mkdir -p "$folder/up"
mount -t tmpfs tmpfs "$folder/up"
for place in etc var srv usr/share; do
    mkdir -p "$folder/up/$place/upper" "$folder/up/$place/work"
    mount -t overlay overlay \
        -o "lowerdir=/$place,upperdir=$folder/up/$place/upper,workdir=$folder/up/$place/work" "/$place"
done
for pair in etc:/etc/cobbler lib:/var/lib/cobbler log:/var/log/cobbler www:/var/www/cobbler tftp:/srv/tftpboot; do
    mkdir -p "${pair#*:}"
    mount --bind "$folder/${pair%%:*}" "${pair#*:}"
done
exec "$@"
