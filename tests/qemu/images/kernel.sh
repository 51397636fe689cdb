#!/usr/bin/env bash
# The kernel of both boards: zImage, .config, version; and in dts/ what panel.dts includes.
. "$(dirname "$0")/common.sh"
need gcc-arm-linux-gnueabihf make gcc libc6-dev bc bison flex xz-utils tar cpio rsync libssl-dev perl

version=$(archive; candidate linux-source-6.1)

build() {
    (archive; apt-get download linux-source-6.1)
    dpkg-deb -x linux-source-6.1_*.deb .
    tar -xf usr/src/linux-source-6.1.tar.xz
    cd linux-source-6.1
    export ARCH=arm CROSS_COMPILE=arm-linux-gnueabihf-
    make -s allnoconfig
    scripts/kconfig/merge_config.sh -m .config "$here/kernel.config" "$here/kernel-virt.config"
    make -s olddefconfig
    nice -n 10 make -s -j"$(nproc)" zImage
    mkdir ../dts
    cp -r arch/arm/boot/dts/aspeed-g6*.dtsi include/dt-bindings ../dts
    cp arch/arm/boot/zImage .config ../
    cd ..
    rm -rf linux-source-6.1 usr linux-source-6.1_*.deb
    echo "$version" >version
}

keep kernel "$version $(arm-linux-gnueabihf-gcc --version | head -n 1) $(text "$0" "$here"/kernel.config "$here"/kernel-virt.config)" build
