#!/usr/bin/env bash
# The device tree of the first board: panel.dtb, and two-links.dtb with a second network interface.
. "$(dirname "$0")/common.sh"
need gcc-arm-linux-gnueabihf device-tree-compiler
dts=$("$here/images/kernel.sh")/dts

# compiled NAME OPTION…
compiled() {
    arm-linux-gnueabihf-cpp -nostdinc -I "$dts" -undef -D__DTS__ "${@:2}" -x assembler-with-cpp "$here/panel.dts" "$1.i"
    dtc -I dts -O dtb -o "$1.dtb" "$1.i"
    rm "$1.i"
}

build() {
    compiled panel
    compiled two-links -DTWO_LINKS
}

keep dtb "$dts $(text "$0" "$here/panel.dts")" build
