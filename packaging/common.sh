# What the scripts of a release share. To be sourced in the root directory of the source; sets version, commit and out.
# shellcheck shell=bash

set -euo pipefail
shopt -s inherit_errexit

say() { echo "packaging: $*" >&2; }

fail() {
    say "$@"
    exit 1
}

version=$(sed -n '/^\[workspace\.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
# The same words as in `--version`. An archive of the source has no git; git has put both into files of it.
if git rev-parse --git-dir >/dev/null 2>&1; then
    commit=$(git describe --always --dirty --abbrev=12 --exclude='*')
    SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
else
    commit=$(cut -d' ' -f1 COMMIT | cut -c1-12)
    SOURCE_DATE_EPOCH=$(cut -d' ' -f2 COMMIT)
fi
export SOURCE_DATE_EPOCH
export INTERCOM_AGENT_COMMIT=$commit
# A test has a folder of its own: what it makes is no release.
out=$PWD/${RELEASE_FOLDER:-target/release-$version}

# bare_tar DIR PATH: PATH in DIR as an archive, the same bytes from the same files. To stdout.
bare_tar() {
    tar -C "$1" --format=ustar --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
        --mtime="@$SOURCE_DATE_EPOCH" -cf - "$2"
}

# pack FOLDER: FOLDER.tar.gz in its place.
pack() {
    bare_tar "$(dirname "$1")" "$(basename "$1")" | gzip -9n >"$1.tar.gz"
    rm -r "$1"
}

# notices PACKAGE FILE: the licences of what is linked into it; the same for each processor, and made once.
notices() {
    local made=$out/$1-$version.notices
    [ -e "$made" ] || { packaging/notices "$1" >"$made.new" && mv "$made.new" "$made"; }
    cp "$made" "$2"
}
