#!/usr/bin/env bash
# An authority (ca.pem) and a broker's certificate (server.pem, server.key) for broker.test, good from 2020 to 2100.
. "$(dirname "$0")/common.sh"
need openssl

build() {
    mkdir -p issued
    touch index
    echo 01 >serial
    cat >ca.conf <<-CONF
	[ca]
	default_ca = here
	[here]
	dir = .
	database = index
	serial = serial
	new_certs_dir = issued
	default_md = sha256
	policy = any
	[any]
	commonName = supplied
	[authority]
	basicConstraints = critical, CA:true
	keyUsage = critical, keyCertSign
	[server]
	basicConstraints = CA:false
	subjectAltName = DNS:broker.test
	CONF
    local of
    for of in ca server; do
        openssl ecparam -name prime256v1 -genkey -noout -out "$of.key"
        openssl req -new -key "$of.key" -subj "/CN=$of" -out "$of.csr"
    done
    sign() { openssl ca -batch -notext -config ca.conf -startdate 20200101000000Z -enddate 21000101000000Z "$@"; }
    sign -selfsign -keyfile ca.key -extensions authority -in ca.csr -out ca.pem
    sign -cert ca.pem -keyfile ca.key -extensions server -in server.csr -out server.pem
    rm -r issued index* serial* ca.conf ./*.csr ca.key
}

keep certificates "$(text "$0")" build
