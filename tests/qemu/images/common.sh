# What the image scripts share: where results are kept, the packages they need, Debian's armhf archive.
# To be sourced. A script prints the directory of its result on stdout and talks on stderr.

set -euo pipefail
shopt -s inherit_errexit
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${INTERCOM_QEMU_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/intercom-agent/qemu}
mkdir -p "$cache"
# Debian's tools, not those of some virtual environment in front of them.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH LC_ALL=C TZ=UTC
# Fixed dates, so that the same inputs give the same image.
export SOURCE_DATE_EPOCH=1700000000 KBUILD_BUILD_TIMESTAMP='2023-11-14 22:13:20' KBUILD_BUILD_USER=board KBUILD_BUILD_HOST=board

say() { echo "images: $*" >&2; }

# need PACKAGE…: installs the Debian packages that are not there yet.
need() { "$here/../../cross/debian" "$@"; }

# keep NAME KEY FUNCTION: runs FUNCTION in an empty directory unless NAME has been made from KEY before.
# Only a finished directory gets the final name, so an interrupted build is never taken for a result.
keep() {
    local hash dir log
    hash=$(printf '%s' "$2" | sha256sum | cut -c1-16)
    dir=$cache/$1-$hash
    if [ ! -d "$dir" ]; then
        log=$cache/$1-$hash.log
        say "building $1 ($log)"
        local start=$SECONDS work status
        work=$(mktemp -d "$cache/.$1.XXXXXX")
        # Not as a condition: bash would go on after a failed step of FUNCTION and keep a broken result.
        set +e
        (
            set -e
            cd "$work"
            "$3"
        ) >"$log" 2>&1
        status=$?
        set -e
        if [ "$status" != 0 ]; then
            tail -n 30 "$log" >&2
            say "$1 failed; the whole log is $log"
            rm -rf "$work"
            return 1
        fi
        chmod 755 "$work"
        # Two runs may have built it at once: the first one wins.
        mv -T "$work" "$dir" 2>/dev/null || rm -rf "$work"
        say "$1 took $((SECONDS - start)) s"
    fi
    touch "$dir"
    echo "$dir"
}

# text FILE…: what the files hold, to be part of a key.
text() { cat "$@"; }

# archive: points apt-get at Debian bookworm's armhf archive, beside the system's own lists and without
# adding a foreign architecture to the host. Use it in a subshell.
archive() {
    need apt debian-archive-keyring ca-certificates
    local apt=$cache/apt mine=$BASHPID
    mkdir -p "$apt"/{lists/partial,archives/partial,etc/apt.conf.d,etc/preferences.d}
    : >"$apt/status"
    # Several scripts may be here at once: each finds whole files.
    cat >"$apt/sources.list.$mine" <<-LIST
	deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm main
	deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian-security bookworm-security main
	deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm main
	LIST
    cat >"$apt/apt.conf.$mine" <<-CONF
	APT::Architecture "armhf";
	APT::Architectures { "armhf"; };
	APT::Install-Recommends "false";
	APT::Sandbox::User "root";
	Dir::State "$apt";
	Dir::State::status "$apt/status";
	Dir::Cache "$apt";
	Dir::Etc "$apt/etc";
	Dir::Etc::sourcelist "$apt/sources.list";
	Dir::Etc::sourceparts "-";
	CONF
    mv "$apt/sources.list.$mine" "$apt/sources.list"
    mv "$apt/apt.conf.$mine" "$apt/apt.conf"
    export APT_CONFIG=$apt/apt.conf
    # Once a day is often enough: every update can give new versions, and so new images.
    if [ -z "$(find "$apt/updated" -mtime -1 2>/dev/null)" ]; then
        # A mirror in the middle of an update is no reason to stop: the release itself is enough.
        apt-get update -qq >&2 || say "not all package lists could be read; going on with the others"
        touch "$apt/updated"
    fi
}

# candidate PACKAGE…: name and version of what the armhf archive would give, one per line.
candidate() {
    apt-cache show --no-all-versions "$@" | awk '/^Package: / { name = $2 } /^Version: / { print name, $2 }'
}
