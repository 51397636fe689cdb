#!/usr/bin/env bash
# intercom-ciphers (tests/qemu/ciphers) for the board, by the compilers and flags that the agent is built with.
. "$(dirname "$0")/common.sh"
checkout=$(cd "$here/../.." && pwd)
need git binutils-arm-linux-gnueabihf

build() {
    cross=$checkout/cross
    # shellcheck source=../../../cross/versions
    . "$cross/versions"
    # shellcheck source=../../../cross/toolchain.sh
    . "$cross/toolchain.sh"
    zig
    rust
    # Where cross/build compiles: the standard library and ring are there already.
    panel_environment "$checkout" "$cross/out/target"
    cargo build --profile panel --locked --manifest-path "$checkout/Cargo.toml" -p intercom-ciphers --target "$triple" \
        "${build_std[@]}"
    arm-linux-gnueabihf-strip -o intercom-ciphers "$CARGO_TARGET_DIR/$triple/panel/intercom-ciphers"
}

keep ciphers "$(cd "$checkout" && git ls-files -z -c -o --exclude-standard -- \
    tests/qemu/ciphers tests/qemu/images/ciphers.sh Cargo.lock Cargo.toml cross/toolchain.sh cross/versions |
    xargs -0 sha256sum)" build
