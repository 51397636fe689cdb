# What the steps share: making the packages, installing them, looking at what is there. To be sourced by run.

# The worst that `systemd-analyze security` may say.
exposure=1.5

fail() {
    echo "$*" >&2
    exit 1
}

# within SECONDS COMMAND…: it succeeds until then.
within() {
    local until=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $until ] || fail "not within the time: $*"
        sleep 0.2
    done
}

# deb PACKAGE REVISION [ARCH]
deb() {
    echo "$debs/$2/$1"_*_"${3:-amd64}.deb"
}

# dpkg cannot ask anything, as where nobody sits.
install_deb() { # NAME PACKAGE REVISION [ARCH]
    local file
    file=$(deb "$2" "$3" "${4:-amd64}")
    cp "$file" "$work/$1/root/root/"
    inside "$1" dpkg --install "/root/${file##*/}" </dev/null
    rm "$work/$1/root/root/${file##*/}"
}

# Each package in two revisions, of which the first is upgraded to the second.
packages() {
    local bin=$work/bin program revision file
    mkdir -p "$bin"
    # As tests/brokers/run builds them, so that they are mostly there already.
    (cd "$source" && cargo build --quiet --locked -p intercom-agent -p intercom-billing -p intercom-brokers)
    for program in intercom-agent intercom-billing; do
        strip -o "$bin/$program" "${CARGO_TARGET_DIR:-$source/target}/debug/$program"
    done
    for revision in 1 2; do
        pack "$debs/$revision" $revision amd64 --agent "$bin/intercom-agent" --billing "$bin/intercom-billing"
        [ ! -e "$panel" ] || pack "$debs/$revision" $revision armhf --agent "$panel"
    done
    pack "$debs/again" 1 amd64 --agent "$bin/intercom-agent"
    file=$(deb intercom-agent 1)
    cmp "$file" "$debs/again/${file##*/}"
}

pack() { # DIR REVISION ARCH PROGRAM…
    "$source/packaging/debian/build" --fast --out "$1" --revision "$2" "${@:4}" "$3"
}

lint() {
    # Here the programs are linked dynamically, other than in a release.
    lintian --allow-root --fail-on error,warning --suppress-tags missing-dependency-on-libc "$debs"/1/*.deb
}

# state NAME: every file, what is in those of /etc, and the users; without what Debian itself writes meanwhile.
state() {
    inside "$1" find / -xdev \( -path /var/log -o -path /var/cache -o -path /var/lib/dpkg -o -path /var/lib/systemd/timers \
        -o -path /var/tmp -o -path /tmp -o -path /root \) -prune -o -print
    inside "$1" find /var/lib/dpkg /run -name '*intercom*'
    inside "$1" find /etc -type f ! -name 'passwd*' ! -name 'group*' ! -name '*shadow*' -exec md5sum {} +
    inside "$1" sed 's/:.*//; s/^/user /' /etc/passwd
    inside "$1" sed 's/:.*//; s/^/group /' /etc/group
}

# left NAME: what is there now and was not in $work/NAME/before, or the other way round.
left() {
    state "$1" | sort | diff "$work/$1/before" - | grep '^[<>]' || true
}

# left_files NAME: the same for the table, without what dpkg itself keeps until the purge.
left_files() {
    left "$1" | sed -n 's/^> \//\//p' | grep -v -e ^/etc/serial -e ^/var/lib/dpkg/ -e ^/var/lib/systemd/ | tr '\n' ' '
}

# exposed NAME UNIT: the unit is a good one, and not more exposed than it may be.
exposed() {
    local said
    inside "$1" systemd-analyze verify "/usr/lib/systemd/system/$2"
    said=$(inside "$1" systemd-analyze security --no-pager "$2" | tail -n 1)
    echo "$said"
    [ "$(sed 's/.*: \([0-9.]*\) .*/\1/' <<<"$said" | awk -v most=$exposure '{ print ($1 <= most) }')" = 1 ]
}

main_pid() {
    inside "$1" systemctl show --value -p MainPID "$2"
}

# row PACKAGE WHAT RESULT: a line of the table.
row() {
    echo "| $1 | $2 | $3 |" >>"$work/table"
}

# leave: ends what has been booted.
leave() {
    local name
    for name in server panel older armhf; do
        [ ! -d "$work/$name" ] || halt "$name"
    done
}
