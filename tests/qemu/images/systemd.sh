#!/usr/bin/env bash
# systemd.sh TREE: Debian with systemd for the second board, as root.ext4. TREE is laid over it: the agent and its units.
. "$(dirname "$0")/common.sh"
need e2fsprogs dpkg tar qemu-user-static
tree=$1

# What apt would install into an empty system; nothing of it is configured, so no foreign program runs on the host.
wanted=(systemd udev dbus libubootenv-tool busybox-static dpkg libc-bin init-system-helpers)
packages=$(archive; apt-get --simulate install "${wanted[@]}" | awk '/^Inst/ { gsub(/[(\[]/, "", $3); print $2 "=" $3 }')

unpack() {
    # shellcheck disable=SC2086  # words
    (archive; apt-get download $packages)
    mkdir -p root/usr/{bin,sbin,lib}
    ln -s usr/bin usr/sbin usr/lib root/
    for package in ./*.deb; do dpkg-deb --fsys-tarfile "$package" | tar -x --keep-directory-symlink -C root; done
    rm -rf root/usr/share/{doc,man,locale,info,lintian} root/usr/lib/arm-linux-gnueabihf/gconv root/usr/lib/udev/hwdb.d
    # What dpkg has to know to install the agent's package on the board.
    mkdir -p root/var/lib/dpkg/{info,updates}
    for package in ./*.deb; do
        dpkg-deb --field "$package"
        printf 'Status: install ok installed\n\n'
    done >root/var/lib/dpkg/status
    rm ./*.deb
    echo "$packages" >packages
}
base=$(keep systemd-base "$packages $(text "$0")" unpack)

build() {
    cp -a "$base/root" "$here/rootfs-systemd/." .
    cp -a etc/. root/etc/ && rm -r etc
    mkdir -p root/{dev,proc,sys,run,tmp,root,mnt,etc,var/lib,boot}
    local applet
    for applet in $(qemu-arm-static root/bin/busybox --list); do
        [ -e "root/bin/$applet" ] || [ -e "root/sbin/$applet" ] || ln -s busybox "root/bin/$applet"
    done
    ln -sf /lib/systemd/systemd root/sbin/init
    local units=root/etc/systemd/system
    mkdir -p "$units"/{multi-user,sysinit}.target.wants
    ln -s /lib/systemd/system/systemd-networkd.service /etc/systemd/system/board-shell.service "$units/multi-user.target.wants"
    ln -s /etc/systemd/system/board-settings.service "$units/sysinit.target.wants"
    # The console belongs to the shell, and nothing here is to be updated or asked for.
    local unit
    for unit in console-getty getty@tty1 serial-getty@ttyAMA0 systemd-hwdb-update systemd-firstboot \
        systemd-journal-catalog-update systemd-update-utmp; do
        ln -sf /dev/null "$units/$unit.service"
    done
    cp -a "$tree/." root/
    truncate -s 512M root.ext4
    /sbin/mke2fs -q -F -t ext4 -O ^metadata_csum -d root -E root_owner=0:0 root.ext4
    rm -rf root
}

key="$base $(text "$0") $(cd "$here/rootfs-systemd" && tar --sort=name --mtime=@0 --owner=0 --group=0 -cf - . | sha256sum)"
key+=$(cd "$tree" && tar --sort=name --mtime=@0 --owner=0 --group=0 -cf - . | sha256sum)
keep systemd "$key" build
