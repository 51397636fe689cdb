#!/usr/bin/env bash
# Debian's armhf programs for the guest: base/ is what the board has, rivals/ what its footprint is compared with.
. "$(dirname "$0")/common.sh"
need dpkg

base=(busybox-static libubootenv-tool libubootenv0.1 libc6 libgcc-s1 zlib1g)
rivals=(mosquitto-clients libmosquitto1 libcjson1 libssl3 mender-client libglib2.0-0 libpcre2-8-0 libffi8 liblzma5
    libmount1 libblkid1 libselinux1 strace libunwind8)
versions=$(archive; candidate "${base[@]}" "${rivals[@]}")

build() {
    (archive; apt-get download "${base[@]}" "${rivals[@]}")
    for package in "${base[@]}"; do dpkg-deb -x "$package"_*.deb base; done
    for package in "${rivals[@]}"; do dpkg-deb -x "$package"_*.deb rivals; done
    find rivals/usr/share -mindepth 1 -maxdepth 1 ! -name mender -exec rm -r {} +
    rm -rf ./*.deb base/usr/share base/usr/lib/arm-linux-gnueabihf/{gconv,perf*} base/usr/lib/*/audit
    mkdir -p rivals/lib/arm-linux-gnueabihf
    cp base/lib/arm-linux-gnueabihf/{libm.so.6,libdl.so.2,libpthread.so.0} rivals/lib/arm-linux-gnueabihf
    # Only the parts of the C library that the board's programs ask for.
    find base/lib/arm-linux-gnueabihf base/usr/lib -name 'lib*' -type f |
        grep -vE '/(libc|libgcc_s|libresolv|libpthread|libubootenv|libz)\.' | xargs -r rm
    echo "$versions" >versions
}

keep armhf "$versions $(text "$0")" build
