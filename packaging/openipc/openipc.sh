#!/bin/sh
# openipc.sh TARGET_DIR: makes the agent and OpenIPC's own files fit each other.
#
# OpenIPC runs it when its overlay has been copied (general/scripts/late-post-build-hooks.list). It ends the build where
# a file of the firmware is no longer what it has to change.
set -eu

target=$1
# OpenIPC's rootfs_script.sh does not look at how this ends, and would go on to an image that is fitted by half.
trap '[ $? = 0 ] || kill "$PPID"' EXIT
# The lines that it would name are changed below.
"$(dirname "$0")/post-build.sh" "$target" >/dev/null

# now FILE TEXT: the build ends unless a line of the file has the text.
now() {
    grep -qF "$2" "$target$1" || {
        echo "openipc.sh: $1 is not what it was in OpenIPC: there is nothing to make '$2' of" >&2
        exit 1
    }
}

# Behind S35modules and S38mdev: the network's driver may be a module.
mv "$target/etc/init.d/S35intercom-restore" "$target/etc/init.d/S39intercom-restore"
ln -sf S39intercom-restore "$target/etc/init.d/S45intercom-restore"

# Wired: interfaces.d/eth0 has hwaddress, which post-build.sh has changed. With a radio or a modem, S40network sets the
# MAC addresses itself.
# shellcheck disable=SC2016 # nothing here is for this shell
sed -i -e 's/\(ifconfig eth0 .* hw ether \).* up$/\1"$(intercom-mac eth0 || echo "${eth:-00:00:23:34:45:66}")" up/' \
    -e 's/\(ip link set dev wlan0 address \).*$/\1"$(intercom-mac wlan0 || echo "$mac")"/' \
    "$target/etc/init.d/S40network"
# shellcheck disable=SC2016
{
    now /etc/network/interfaces.d/eth0 '$(intercom-mac $IFACE || '
    now /etc/init.d/S40network '$(intercom-mac eth0 || '
    now /etc/init.d/S40network '$(intercom-mac wlan0 || '
}

# sysupgrade stops rc.local before it writes the flash that programs run from, and starts it again after a failure.
daemon=/etc/init.d/S95intercom-agent
[ -f "$target$daemon" ] || {
    echo "openipc.sh: switch BR2_PACKAGE_INTERCOM_AGENT_RESPAWN off: sysupgrade could not stop the daemon" >&2
    exit 1
}
grep -q "^$daemon start" "$target/etc/rc.local" || sed -i "/^exit 0/i $daemon start" "$target/etc/rc.local"
now /etc/rc.local "$daemon start"
[ -f "$target/etc/rc.local.stop" ] || echo '#!/bin/sh' >"$target/etc/rc.local.stop"
grep -q "^$daemon stop" "$target/etc/rc.local.stop" || echo "$daemon stop" >>"$target/etc/rc.local.stop"
chmod 755 "$target/etc/rc.local.stop"

# The firmware takes these files out again, and strips the comments of the scripts: their checksums do not stay true.
rm -rf "$target/usr/lib/intercom-agent"
