# What `notices` and `sbom` share. To be sourced after common.sh.
# shellcheck shell=bash

# The processors that there are programs for.
triples=(armv7-unknown-linux-musleabihf aarch64-unknown-linux-musl x86_64-unknown-linux-musl)

# cargo_tool NAME VERSION ARGUMENT…: a command of cargo's from crates.io, built once and kept beside the other caches.
cargo_tool() {
    local own=${XDG_CACHE_HOME:-$HOME/.cache}/intercom-agent/$1-$2
    export PATH=$own/bin:$PATH
    [ ! -x "$own/bin/$1" ] || return 0
    say "installing $1 $2 into $own (once; takes some minutes)"
    cargo install --quiet --locked --debug --root "$own" "${@:3}" "$1@$2" >&2
}

manifest() { # PACKAGE
    case $1 in
        intercom-agent) echo Cargo.toml ;;
        intercom-billing) echo billing/Cargo.toml ;;
    esac
}

# linked PACKAGE: the crates of others that end in its program, as lines of "NAME VERSION".
linked() {
    local triple
    for triple in "${triples[@]}"; do
        cargo tree --locked --offline --package "$1" --target "$triple" --edges normal,no-proc-macro --prefix none --format '{p}'
    done | sed -n 's/^\([^ ]*\) v\([^ ]*\)$/\1 \2/p' | LC_ALL=C sort -u
}
