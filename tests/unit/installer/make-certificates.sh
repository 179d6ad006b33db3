#!/bin/sh
# Makes the certificates of test_fetch.py in the folder that is given.
set -eu
cd "$1"

key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"; }

authority() { # NAME SUBJECT
    key "$1.key"
    openssl req -x509 -new -key "$1.key" -subj "/CN=$2" -days 36500 -out "$1.pem" \
        -addext keyUsage=critical,keyCertSign,cRLSign
}

server() { # NAME AUTHORITY ADDRESS [START END]
    key "$1.key"
    openssl req -new -key "$1.key" -subj "/CN=$1" -out "$1.csr"
    printf 'subjectAltName=IP:%s\nbasicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n' "$3" > "$1.ext"
    openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -extfile "$1.ext" \
        -days "${4:-36500}" -out "$1.pem"
    cat "$1.pem" ca.pem > "$1-chain.pem"
    rm -f "$1.csr" "$1.ext"
}

authority ca "Nodecrust test CA"
authority other-ca "Another CA"
server server ca 127.0.0.1
server forged other-ca 127.0.0.1
server elsewhere ca 192.0.2.1
# A certificate whose time is over: yesterday's.
server expired ca 127.0.0.1 -1
