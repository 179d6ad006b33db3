# shellcheck shell=bash
# Fetches the bundle of plugins that `node.plugins=URL` names. It is not looked at here: `nodectl boot` checks its
# signature with the keys of the root image. Never a reason to stop; what fails is left in words for the node.

PLUGINS_FOLDER=${PLUGINS_FOLDER:-$NODE_RUN/plugin-bundle}
PLUGINS_ADDRESS_S=${PLUGINS_ADDRESS_S:-60}
PLUGINS_TRIES=${PLUGINS_TRIES:-5}

# As much as nodectl takes (node/boot/plugin_bundle.py).
PLUGINS_BYTES=$((32 * 1024 * 1024))

# obtain_plugins: what was asked for at PLUGINS_FOLDER, or why it isn't there.
obtain_plugins() {
    [[ -n $PLUGINS ]] || return 0
    mkdir -p "$PLUGINS_FOLDER"
    public_url "$PLUGINS" >"$PLUGINS_FOLDER/asked"
    [[ -z $PLUGINS_SHA256 ]] || printf '%s\n' "$PLUGINS_SHA256" >"$PLUGINS_FOLDER/sha256"
    if check_plugins_request && bring_up_plugins_network && fetch_plugins; then
        return 0
    fi
    rm -f "$PLUGINS_FOLDER/bundle" "$PLUGINS_FOLDER/bundle.sig"
    printf '%s\n' "$WHY_NO_PLUGINS" >"$PLUGINS_FOLDER/failed"
    say "No plugin is loaded from $(public_url "$PLUGINS"): it $WHY_NO_PLUGINS."
}

check_plugins_request() {
    case $PLUGINS in
        http://?* | https://?* | tftp://?*) ;;
        *)
            WHY_NO_PLUGINS='is of no known form: http://, https:// or tftp://'
            return 1
            ;;
    esac
    [[ -z $PLUGINS_SHA256 || $PLUGINS_SHA256 =~ ^[0-9a-f]{64}$ ]] && return 0
    WHY_NO_PLUGINS='has a node.plugins.sha256 that is not a SHA-256: that has 64 hexadecimal digits'
    return 1
}

# The network is up already where the root image came by it. A node on its own disk has plugins in its image.
bring_up_plugins_network() {
    local started=$SECONDS
    case $IMAGE_KIND in
        url) return 0 ;;
        slot)
            WHY_NO_PLUGINS='is not fetched by a node that starts from its own disk'
            return 1
            ;;
    esac
    start_network
    until has_address; do
        if ((SECONDS - started >= PLUGINS_ADDRESS_S)); then
            WHY_NO_PLUGINS="can't be fetched: no network address after $PLUGINS_ADDRESS_S s: $(describe_cards)"
            return 1
        fi
        sleep 0.2
    done
}

# fetch_plugins: the bundle and its signature, both of them or neither.
fetch_plugins() {
    local try pause_s=1
    say "Fetching plugins from $(public_url "$PLUGINS")"
    for ((try = 1; try <= PLUGINS_TRIES; try++)); do
        write_resolv_conf
        if fetch_part "$PLUGINS" bundle "$PLUGINS_BYTES" && fetch_part "$PLUGINS.sig" bundle.sig 4096; then
            return 0
        fi
        # Neither what is not there nor what is too big comes by asking again.
        ((PLUGINS_STATUS != 63)) && [[ $WHY_NO_PLUGINS != *' 404'* ]] || return 1
        ((try == PLUGINS_TRIES)) || sleep "$pause_s"
        pause_s=$((pause_s * 2))
    done
    return 1
}

# fetch_part URL NAME BYTES: one file, of so many bytes at most.
fetch_part() {
    local file=$PLUGINS_FOLDER/$2 words
    PLUGINS_STATUS=0
    curl_options "$1"
    rm -f "$file"
    # A server that does not tell the length, and an old curl, are held by the limit on the file.
    words=$(
        ulimit -f $(($3 / 1024 + 1))
        curl "${CURL_OPTIONS[@]}" --max-filesize "$3" --speed-limit 1 --speed-time 20 --output "$file" -- "$1" 2>&1
    ) || PLUGINS_STATUS=$?
    if ((PLUGINS_STATUS == 0)) && (($(file_size "$file") <= $3)); then
        # curl makes no file of nothing.
        [[ -e $file ]] || : >"$file"
        return 0
    fi
    case $PLUGINS_STATUS in
        0 | 63 | 153)
            PLUGINS_STATUS=63
            WHY_NO_PLUGINS="can't be fetched: $(public_url "$1") has more than $(megabytes "$3")"
            ;;
        *) WHY_NO_PLUGINS="can't be fetched: ${words#curl: } ($(public_url "$1"))" ;;
    esac
    return 1
}
