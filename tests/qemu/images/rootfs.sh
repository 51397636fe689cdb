#!/usr/bin/env bash
# rootfs.sh PROGRAMS single|redundant gzip|xz [TREE]: the board's root file system, as rootfs.squashfs for the flash and
# as initrd.gz. PROGRAMS is what armhf.sh prints; gzip or xz compresses the squashfs; TREE is a directory that is laid over
# it (the agent, its configuration, its init scripts), and may take files away: see `lay`.
. "$(dirname "$0")/common.sh"
need squashfs-tools cpio gzip qemu-user-static
armhf=$1
copies=$2
compressor=$3
tree=${4:-}

build() {
    mkdir -p root
    cp -a "$armhf/base/." root/
    cp -a "$here/rootfs/." root/
    mkdir -p root/{bin,sbin,usr/bin,usr/sbin,dev,proc,sys,run,tmp,root,mnt,rom,overlay,etc,var/lib,var/lock}
    if [ -L root/lib ]; then echo "lib is a link"; fi
    local applet
    for applet in $(qemu-arm-static root/bin/busybox --list); do
        [ -e "root/bin/$applet" ] || ln -s busybox "root/bin/$applet"
    done
    ln -s ../bin/busybox root/sbin/init
    echo "/dev/mtd1 0x0 0x10000 0x10000" >root/etc/fw_env.config
    [ "$copies" = single ] || echo "/dev/mtd2 0x0 0x10000 0x10000" >>root/etc/fw_env.config
    [ -z "$tree" ] || lay
    find root -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
    mksquashfs root rootfs.squashfs -comp "$compressor" -b 128K -all-root -no-xattrs -no-progress \
        -p "/dev/console c 600 0 0 5 1"
    (cd root && find . | sort | cpio --quiet -o -H newc -R 0:0 --reproducible | gzip -1n) >initrd.gz
    rm -rf root
}

# Lays the tree over root. As in a container's layer, a file .wh.NAME takes NAME away; a link may stand where root has a
# directory.
lay() {
    local path name
    (cd "$tree" && find . -name '.wh.*' -o -type l) | while IFS= read -r path; do
        name=${path##*/}
        case $name in
            .wh.*) rm -rf "root/${path%/*}/${name#.wh.}" ;;
            *) [ -L "root/$path" ] || [ ! -d "root/$path" ] || rm -rf "root/$path" ;;
        esac
    done
    cp -a "$tree/." root/
    find root -name '.wh.*' -delete
}

key="$armhf $copies $compressor $(text "$0") $(cd "$here/rootfs" && tar --sort=name --mtime=@0 -cf - . | sha256sum)"
[ -z "$tree" ] || key+=$(cd "$tree" && tar --sort=name --mtime=@0 --owner=0 --group=0 -cf - . | sha256sum)
keep "rootfs-$copies" "$key" build
