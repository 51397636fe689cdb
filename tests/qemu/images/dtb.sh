#!/usr/bin/env bash
# The device tree of the first board: panel.dtb.
. "$(dirname "$0")/common.sh"
need gcc-arm-linux-gnueabihf device-tree-compiler
dts=$("$here/images/kernel.sh")/dts

build() {
    arm-linux-gnueabihf-cpp -nostdinc -I "$dts" -undef -D__DTS__ -x assembler-with-cpp "$here/panel.dts" panel.i
    dtc -I dts -O dtb -o panel.dtb panel.i
    rm panel.i
}

keep dtb "$dts $(text "$0" "$here/panel.dts")" build
