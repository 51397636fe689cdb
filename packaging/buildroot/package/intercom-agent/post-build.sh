#!/bin/sh
# post-build.sh TARGET_DIR: makes the agent and the other files of the image fit
# each other, by the options of the configuration.
#
# Lines that set the MAC address from the U-Boot environment ask the agent
# first; inittab has the daemon, and fstab the partition of the record, where
# that was chosen. The package calls this when all packages are installed. A
# root overlay is copied later: if yours has network scripts, an inittab or an
# fstab, put this script into BR2_ROOTFS_POST_BUILD_SCRIPT too. More than once
# does no harm. An image with systemd has units, and nothing is done to it.
set -eu

target=$1
! grep -q '^BR2_INIT_SYSTEMD=y' "$BR2_CONFIG" || exit 0

has() { # OPTION
    grep -q "^BR2_PACKAGE_INTERCOM_AGENT_$1=y" "$BR2_CONFIG"
}

set -- "$BUILD_DIR"/intercom-agent-*/install
if [ $# != 1 ] || [ ! -x "$1" ]; then
    echo "post-build.sh: one version of intercom-agent has to be in $BUILD_DIR" >&2
    exit 1
fi
# What a build before has left: a script that something has changed since would
# be kept as if by an administrator, by --remove too.
"$1" --root "$target" --remove >/dev/null
for script in S35intercom-restore S39intercom-restore S45intercom-restore S95intercom-agent; do
    rm -f "$target/etc/init.d/$script"
done
rm -f "$target/usr/sbin/intercom-mac"
if has RESPAWN; then
    "$1" --root "$target" --busybox --respawn
else
    "$1" --root "$target" --busybox
fi
# A hook of the image's own that has the name of a ready-made one stays.
for hook in 50-udhcpc 60-gratuitous-arp; do
    own=$target/etc/intercom-agent/hooks.d/$hook
    [ ! -e "$own.new" ] || {
        echo "post-build.sh: $own is not this version's, and stays; if a build before has left it, delete it" >&2
        rm "$own.new"
    }
    has HOOKS || ! cmp -s "${1%/*}/busybox/hooks.d/$hook" "$own" || rm "$own"
done
rmdir "$target/etc/intercom-agent/hooks.d" "$target/etc/intercom-agent" 2>/dev/null || :

partition=$(sed -n 's/^BR2_PACKAGE_INTERCOM_AGENT_PARTITION="\(.*\)"/\1/p' "$BR2_CONFIG")
if [ -n "$partition" ]; then
    mkdir -p "$target/var/lib/intercom-agent"
    mount="mtd:$partition /var/lib/intercom-agent jffs2 noatime 0 0"
    touch "$target/etc/fstab"
    # One of another name was there before; the last line may have no line end.
    sed -i -e '\|^mtd:.* /var/lib/intercom-agent jffs2 |d' -e '$a\' "$target/etc/fstab"
    echo "$mount" >>"$target/etc/fstab"
fi
