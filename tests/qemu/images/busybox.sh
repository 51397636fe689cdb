#!/usr/bin/env bash
# BusyBox for the part `firmware`: with ifup and ifdown for IPv4, which Debian's own build lacks. It gives udhcpc the
# options that OpenIPC's gives it.
. "$(dirname "$0")/common.sh"
need gcc-arm-linux-gnueabihf libc6-dev-armhf-cross make gcc libc6-dev dpkg-dev bzip2

version=$(archive; apt-cache showsrc --only-source busybox | sed -n 's/^Version: //p' | head -n 1)

build() {
    (archive; apt-get source --download-only "busybox=$version")
    dpkg-source -x busybox_*.dsc source
    cd source
    export CROSS_COMPILE=arm-linux-gnueabihf-
    make -s defconfig
    sed -i -e 's/^# CONFIG_STATIC is not set/CONFIG_STATIC=y/' \
        -e 's/^\(CONFIG_IFUPDOWN_UDHCPC_CMD_OPTIONS\)=.*/\1="-A 0 -T 1 -t 5 -R -b -O search"/' .config
    # BusyBox's oldconfig asks; the defaults are the answers. `yes` ends by SIGPIPE.
    (yes '' || :) | make -s oldconfig >/dev/null
    grep -x CONFIG_STATIC=y .config
    grep -x CONFIG_FEATURE_IFUPDOWN_IPV4=y .config
    nice -n 10 make -s -j"$(nproc)" busybox
    cp busybox .config ..
    cd ..
    rm -rf source busybox_*
    echo "$version" >version
}

keep busybox "$version $(arm-linux-gnueabihf-gcc --version | head -n 1) $(text "$0")" build
