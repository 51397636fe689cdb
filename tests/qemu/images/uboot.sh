#!/usr/bin/env bash
# U-Boot of the first board: single/u-boot.bin and redundant/u-boot.bin, for one and two copies of the environment.
. "$(dirname "$0")/common.sh"
need gcc-arm-linux-gnueabihf make gcc libc6-dev bc bison flex dpkg-dev xz-utils device-tree-compiler \
    libssl-dev python3 python3-dev python3-setuptools swig

version=$(archive; apt-cache showsrc --only-source u-boot | sed -n 's/^Version: //p' | head -n 1)

build() {
    (archive; apt-get source --download-only "u-boot=$version")
    dpkg-source -x u-boot_*.dsc source
    cd source
    export CROSS_COMPILE=arm-linux-gnueabihf-
    for copies in single redundant; do
        make -s evb-ast2600_defconfig
        cat "$here/uboot.config" >>.config
        [ "$copies" = single ] || cat "$here/uboot-redundant.config" >>.config
        make -s olddefconfig
        nice -n 10 make -s -j"$(nproc)" u-boot.bin
        mkdir "../$copies"
        cp u-boot.bin .config "../$copies"
    done
    cd ..
    rm -rf source u-boot_*
    echo "$version" >version
}

keep uboot "$version $(arm-linux-gnueabihf-gcc --version | head -n 1) $(text "$0" "$here"/uboot*.config)" build
