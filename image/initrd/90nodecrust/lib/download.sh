# shellcheck shell=bash
# Fetches the root image by URL into memory: resumed, checked, for as long as it takes.
# What is fetched is left in ROOT_PATH, ROOT_SIZE and ROOT_DEVICE for root.sh.
# shellcheck disable=SC2034

FETCHED=${FETCHED:-$NODE_RUN/fetched}
RETRY_MAX_S=${RETRY_MAX_S:-15}
PROGRESS_S=${PROGRESS_S:-3}
# After so many lines they come ten times as rarely: a slow line is no reason to flood a serial console.
PROGRESS_LINES=${PROGRESS_LINES:-20}

# What the running node needs beside the image before it can do anything.
RESERVE_BYTES=$((64 * 1024 * 1024))

# Prints the memory that can be had, in bytes.
available_bytes() {
    local name value _
    while read -r name value _; do
        [[ $name == MemAvailable: ]] && printf '%d\n' $((value * 1024))
    done <"$PROC/meminfo"
}

# Options for every call: a redirect never leads from https to something weaker.
curl_options() {
    CURL_OPTIONS=(--silent --show-error --fail --location --connect-timeout 10)
    case $1 in
        https://*) CURL_OPTIONS+=(--proto '=https' --proto-redir '=https') ;;
        tftp://*) CURL_OPTIONS+=(--proto '=tftp' --tftp-blksize 1428) ;;
        *) CURL_OPTIONS+=(--proto '=http' --proto-redir '=http,https') ;;
    esac
}

# remote_size URL: the length that the server announces, or nothing where it doesn't.
remote_size() {
    local line code='' size=''
    [[ $1 != tftp://* ]] || return 0
    while IFS= read -r line; do
        line=${line%$'\r'}
        case ${line,,} in
            # After a redirect only the last answer counts, and the length of a refusal is not the image's.
            http/*) read -r _ code _ <<<"$line" && size='' ;;
            content-length:*) [[ $code != 2?? ]] || { size=${line#*:} && size=${size// /}; } ;;
        esac
    done < <(curl "${CURL_OPTIONS[@]}" --head --max-time 20 -- "$1" 2>/dev/null)
    [[ $size =~ ^[0-9]+$ ]] && printf '%s\n' "$size"
    return 0
}

file_size() {
    stat -c %s "$1" 2>/dev/null || echo 0
}

# A tmpfs of its own: /run is only a fifth of the memory.
mount_fetched() {
    mkdir -p "$FETCHED"
    mountpoint -q "$FETCHED" || mount -t tmpfs -o mode=0755,size=90%,nodev,nosuid,noexec nodecrust-fetched "$FETCHED"
}

# fits_memory SIZE HAVE: succeeds where the rest of the image finds room; else says how much is missing.
fits_memory() {
    local missing
    missing=$(($1 - $2 + RESERVE_BYTES - $(available_bytes)))
    ((missing > 0)) || return 0
    say "The root image has $(megabytes "$1"), which is $(megabytes "$missing") more than this machine's memory has room for. Give it more memory, or boot it from a disk or a stick."
    return 1
}

# Tells how far a download is until it is killed.
report_progress() {
    local file=$1 total=$2 before now lines=0 every_s=$PROGRESS_S
    before=$(file_size "$file")
    while sleep "$every_s"; do
        now=$(file_size "$file")
        say "Fetching the root image: $(megabytes "$now") of $([[ $total ]] && megabytes "$total" || echo 'an unknown size'), $(megabytes $(((now - before) / every_s)))/s"
        before=$now
        lines=$((lines + 1))
        ((lines < PROGRESS_LINES)) || every_s=$((PROGRESS_S * 10))
    done
}

# fetch_once URL FILE TOTAL: one try, going on where the last one ended; curl's exit status. Its words in CURL_WORDS.
fetch_once() {
    local url=$1 file=$2 total=$3 reporter status=0
    local -a resume=()
    if [[ $url == tftp://* ]]; then
        rm -f "$file"
    elif [[ -s $file ]]; then
        resume=(--continue-at -)
    fi
    report_progress "$file" "$total" &
    reporter=$!
    # A server that goes silent is left after 20 s.
    CURL_WORDS=$(curl "${CURL_OPTIONS[@]}" --speed-limit 1 --speed-time 20 "${resume[@]}" --output "$file" -- "$url" 2>&1) || status=$?
    kill "$reporter" 2>/dev/null || :
    wait "$reporter" 2>/dev/null || :
    CURL_WORDS=${CURL_WORDS#curl: }
    return "$status"
}

# complete FILE TOTAL: whether all is there, as far as the length tells.
complete() {
    [[ -s $1 ]] && { [[ -z $2 ]] || (($(file_size "$1") == $2)); }
}

# announced_size URL: sets TOTAL to the image's length where anybody tells it: the command line, else the server.
announced_size() {
    TOTAL=$IMAGE_SIZE
    [[ -n $TOTAL ]] || TOTAL=$(remote_size "$1")
}

# failure_words STATUS FILE: why a try did not bring the whole file.
failure_words() {
    local have
    have=$(file_size "$2")
    if (($1 != 0)); then
        printf '%s\n' "$CURL_WORDS"
    elif ((have > ${TOTAL:-0})); then
        printf 'the server has another image, of another length than %s bytes\n' "$TOTAL"
    else
        printf 'the connection ended early\n'
    fi
}

# after_failure STATUS FILE: drops what can't be gone on with.
after_failure() {
    case $1 in
        0) (($(file_size "$2") <= ${TOTAL:-0})) || rm -f "$2" ;;
        22) [[ $CURL_WORDS != *416* ]] || rm -f "$2" ;; # our part is longer than the server's file
        33 | 36)                                        # the server takes no ranges
            say "The server can't go on where we stopped; beginning anew."
            rm -f "$2"
            ;;
    esac
}

# fetch_image URL FILE: comes back with the whole file, however long that takes.
fetch_image() {
    local url=$1 file=$2 pause_s=1 status had told=''
    curl_options "$url"
    say "Fetching the root image from $(public_url "$url")"
    while :; do
        write_resolv_conf
        announced_size "$url"
        [[ $TOTAL == "$told" ]] || say "It has $(megabytes "$TOTAL")."
        told=$TOTAL
        had=$(file_size "$file")
        if [[ -n $TOTAL ]] && ! fits_memory "$TOTAL" "$had"; then
            sleep 30
            continue
        fi
        status=0
        fetch_once "$url" "$file" "$TOTAL" || status=$?
        ((status != 0)) || ! complete "$file" "$TOTAL" || return 0
        # Something came: the server is alive, so it is asked again soon.
        (($(file_size "$file") <= had)) || pause_s=1
        say "Fetching stopped at $(megabytes "$(file_size "$file")"): $(failure_words "$status" "$file"). Trying again in $pause_s s."
        after_failure "$status" "$file"
        sleep "$pause_s"
        pause_s=$((pause_s * 2 < RETRY_MAX_S ? pause_s * 2 : RETRY_MAX_S))
    done
}

# sha256_matches FILE [SIZE]: whether it (or its first SIZE bytes) is what was asked for; true where nothing was.
# The digest found is in FOUND_SHA256.
sha256_matches() {
    FOUND_SHA256=''
    [[ -n $IMAGE_SHA256 ]] || return 0
    if [[ -n ${2:-} ]]; then
        read -r FOUND_SHA256 _ < <(head -c "$2" "$1" | sha256sum)
    else
        read -r FOUND_SHA256 _ < <(sha256sum <"$1")
    fi
    [[ $FOUND_SHA256 == "$IMAGE_SHA256" ]]
}

# Comes back with a checked image at FETCHED/root.squashfs, however long that takes.
obtain_by_url() {
    local file=$FETCHED/root.squashfs
    mount_fetched
    wait_for_address
    while :; do
        fetch_image "$IMAGE" "$file"
        sha256_matches "$file" && break
        say "The root image from $(public_url "$IMAGE") is not the one that was asked for. SHA-256 expected: $IMAGE_SHA256"
        say "SHA-256 found:    $FOUND_SHA256 ($(file_size "$file") bytes). It was thrown away, nothing was written; trying again in 15 s."
        rm -f "$file"
        sleep 15
    done
    # Nothing may change the image after it was checked.
    mount -o remount,ro "$FETCHED"
    # The checked image's length is known now, whatever was announced.
    ROOT_PATH=$file ROOT_SIZE=$(file_size "$file") ROOT_DEVICE=''
}
