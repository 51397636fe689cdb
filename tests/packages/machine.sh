# Machines to install packages on: Debian with systemd, booted in containers on a bridge of their own. To be sourced, with
# `work` (a directory) set.

# base ARCH: prints a root directory with Debian for ARCH, made once and cached.
base() {
    local wanted=systemd,systemd-sysv,udev,dbus,init-system-helpers,procps,iproute2,ca-certificates,curl,mosquitto
    local suite root
    # The host's own, since the programs under test are linked to its C library.
    suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
    root=${XDG_CACHE_HOME:-$HOME/.cache}/intercom-agent/packages/$suite-$1-$(sha256sum <<<"$wanted" | cut -c1-16)
    if [ ! -e "$root" ]; then
        echo "installing Debian for $1 into $root (once; takes some minutes)" >&2
        # Where an installation was cut off, the host's own /dev may be mounted in it.
        rm -rf --one-file-system "$root.new"
        mkdir -p "${root%/*}"
        mmdebstrap --quiet --mode=root --variant=minbase --arch="$1" --include="$wanted" \
            --dpkgopt='path-exclude=/usr/share/doc/*' "$suite" "$root.new" \
            "deb http://deb.debian.org/debian $suite main" >&2
        mv "$root.new" "$root"
    fi
    echo "$root"
}

# machine NAME ARCH: a root directory of its own, in $work/NAME/root. A copy: on an overlay the agent keeps no record.
machine() {
    local from
    from=$(base "$2")
    mkdir "$work/$1"
    cp -a "$from" "$work/$1/root"
}

# address NAME ADDRESS: systemd-networkd gives its interface this address.
address() {
    local etc=$work/$1/root/etc
    printf '[Match]\nName=host0\n[Network]\nAddress=%s\n' "$2" >"$etc/systemd/network/10-host0.network"
    ln -s /lib/systemd/system/systemd-networkd.service "$etc/systemd/system/multi-user.target.wants/"
}

# boot NAME: starts systemd in it, and waits until everything is up.
boot() {
    local name=$1 nspawn
    systemd-nspawn --quiet --directory="$work/$name/root" --machine="$name" --register=no --keep-unit \
        --network-bridge=packages --link-journal=no --boot >"$work/$name/console" 2>&1 </dev/null &
    nspawn=$!
    echo $nspawn >"$work/$name/nspawn"
    touch "$work/$name/state"
    until pgrep -P $nspawn >"$work/$name/init" && inside "$name" systemctl is-system-running --wait >"$work/$name/state" 2>&1 ||
        grep -q degraded "$work/$name/state"; do
        kill -0 $nspawn || fail "$name does not boot: $(tail -n 5 "$work/$name/console")"
        sleep 0.2
    done
}

# inside NAME COMMAND…: runs it in the booted machine.
inside() {
    local name=$1
    shift
    nsenter --target "$(cat "$work/$name/init")" --mount --uts --ipc --net --pid --root --wd=/ \
        env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive "$@"
}

# halt NAME: as a power cut does.
halt() {
    local nspawn
    nspawn=$(cat "$work/$1/nspawn")
    kill -TERM "$nspawn" 2>/dev/null || true
    wait "$nspawn" 2>/dev/null || true
}
