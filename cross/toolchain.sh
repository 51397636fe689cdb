# The compilers of cross/build. To be sourced; sets rustc, std, build_std, std_flags, c_flags and tools.

cache=${XDG_CACHE_HOME:-$HOME/.cache}/intercom-agent/cross
mkdir -p "$cache"

# What LLVM does for speed, or for each place by itself, makes code that is alike differ, so that it compresses badly:
# README.md says what each of these is worth.
plainer=(
    -disable-post-ra
    -disable-machine-licm -disable-postra-machine-licm -disable-machine-cse
    -disable-block-placement -disable-tail-duplicate -disable-early-taildup
    -disable-lsr -disable-licm-promotion -disable-constant-hoisting -enable-pre=0 -jump-threading-threshold=12
)

say() { echo "cross/build: $*" >&2; }

fail() {
    say "$@"
    exit 1
}

# zig: the C compiler and linker, with musl, from PyPI into the cache; and the wrappers that cargo calls.
zig() {
    local home=$cache/zig-$ZIG hash=ZIG_SHA256_$(uname -m)
    if [ ! -x "$home/bin/python" ] || [ ! -e "$home/done" ]; then
        "$cross/debian" python3-venv
        say "installing ziglang $ZIG from PyPI into $home"
        rm -rf "$home"
        /usr/bin/python3 -m venv "$home"
        echo "ziglang==$ZIG --hash=sha256:${!hash:-none-for-this-machine}" >"$home/requirements.txt"
        "$home/bin/pip" install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r "$home/requirements.txt"
        touch "$home/done"
    fi
    local binary
    binary=$(echo "$home"/lib/python3*/site-packages/ziglang/zig)
    export ZIG_GLOBAL_CACHE_DIR=$cache/zig-cache ZIG_LOCAL_CACHE_DIR=$cache/zig-cache
    tools=$cache/tools-$ZIG
    mkdir -p "$tools"
    # Cargo's cc crate gives a --target that zig spells differently, and -fPIC: the wrapper has its own, for musl too,
    # which zig builds while linking. Nothing unwinds, so that nothing of libunwind is called; std asks for it all the same.
    cat >"$tools/cc.new" <<-WRAPPER
	#!/usr/bin/env bash
	for argument; do
	    shift
	    case \$argument in
	        --target=* | -fPIC | -lunwind) continue ;;
	    esac
	    set -- "\$@" "\$argument"
	done
	exec "$binary" cc -target thumb-linux-musleabihf -mcpu=cortex_a7-neon-d32 -fno-pic -fno-sanitize=all "\$@"
	WRAPPER
    printf '#!/bin/sh\nexec "%s" ar "$@"\n' "$binary" >"$tools/ar.new"
    chmod +x "$tools"/*.new
    mv "$tools/cc.new" "$tools/cc"
    mv "$tools/ar.new" "$tools/ar"
    c_flags="${plainer[*]/#/-mllvm } -mllvm -regalloc=basic"
}

# rust: Debian's pinned compiler, which builds the standard library from its sources too, so that the same bytes come out
# whatever toolchain this machine has.
rust() {
    command -v cargo >/dev/null || fail "cargo is not installed; install Rust first (https://rustup.rs or Debian's cargo)"
    local wanted=rustc-web=$RUST_WEB sources=rust-web-src=$RUST_WEB
    if [ -n "$unpinned" ]; then
        wanted=rustc-web sources=rust-web-src
    fi
    "$cross/debian" "$wanted" "$sources" ||
        fail "Debian's archive has no rustc-web $RUST_WEB any more; use --unpinned, or change cross/versions"
    local installed
    installed=$(dpkg-query -W -f '${Version}' rustc-web)
    [ -n "$unpinned" ] || [ "$installed" = "$RUST_WEB" ] ||
        fail "rustc-web $installed is installed, $RUST_WEB is pinned; use --unpinned, or change cross/versions"
    rustc=/usr/bin/rustc
    std="standard library built from rust-web-src $installed"
    export RUSTC_BOOTSTRAP=1
    build_std=(-Z build-std=std,panic_abort -Z build-std-features=optimize_for_size)
    std_flags=(-Z unstable-options -C panic=immediate-abort -Z fmt-debug=shallow -Z mir-opt-level=1)
    # Variables are split as little as the greedy allocation of registers can; instructions stay in the source's order.
    std_flags+=(-C llvm-args="${plainer[*]} -grow-region-complexity-budget=0 -join-splitedges -pre-RA-sched=source")
}
