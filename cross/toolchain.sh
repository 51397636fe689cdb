# The compilers of the static programs, and their flags. To be sourced, with `cross` set and `versions` read; sets
# arch, triple, binutils, rustc, compiler, pinned, tools, build_std and build_id.

# shellcheck disable=SC2054  # the commas in lists of arguments are rustc's and the linker's

# processor ARCH: armv7 (until another one is asked for), aarch64 or x86_64; before `zig`.
processor() {
    arch=$1
    case $arch in
        armv7)
            triple=armv7-unknown-linux-musleabihf binutils=arm-linux-gnueabihf
            zig_target=(-target thumb-linux-musleabihf -mcpu=cortex_a7-neon-d32)
            ;;
        aarch64 | x86_64)
            triple=$arch-unknown-linux-musl binutils=$arch-linux-gnu
            zig_target=(-target "$arch-linux-musl")
            ;;
        *) return 1 ;;
    esac
}
processor armv7

cache=${XDG_CACHE_HOME:-$HOME/.cache}/intercom-agent/cross
mkdir -p "$cache"

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
    tools=$cache/tools-$ZIG-$arch
    mkdir -p "$tools"
    # Cargo's cc crate passes a --target that zig spells differently, and -fPIC. zig also builds musl with these flags,
    # while it links. The standard library always asks for libunwind: 5 KB of the image, though only a build with
    # panic texts (UNWINDS) calls it.
    cat >"$tools/cc.new" <<-WRAPPER
	#!/usr/bin/env bash
	for argument; do
	    shift
	    case \$argument in
	        --target=* | -fPIC) continue ;;
	        -lunwind) [ -n "\${UNWINDS:-}" ] || continue ;;
	    esac
	    set -- "\$@" "\$argument"
	done
	exec "$binary" cc ${zig_target[*]} -fno-pic -fno-sanitize=all "\$@"
	WRAPPER
    printf '#!/bin/sh\nexec "%s" ar "$@"\n' "$binary" >"$tools/ar.new"
    chmod +x "$tools"/*.new
    mv "$tools/cc.new" "$tools/cc"
    mv "$tools/ar.new" "$tools/ar"
}

# has_library RUSTC: whether the sources of its standard library are installed.
has_library() {
    local sysroot
    sysroot=$("$1" --print sysroot 2>/dev/null) && [ -n "$sysroot" ] || return 1
    [ -e "$sysroot/lib/rustlib/src/rust/library/std/Cargo.toml" ]
}

# rust [RUSTC]: a compiler with the sources of its standard library: RUSTC; else Debian's pinned pair, which gives
# the same bytes on every machine; else the pair that Debian has now; else rustup's nightly.
rust() {
    command -v cargo >/dev/null || fail "cargo is not installed; install Rust first (https://rustup.rs or Debian's cargo)"
    pinned=""
    local nightly
    if [ -n "${1:-}" ]; then
        has_library "$1" || fail "$1 is not a compiler that has the sources of its standard library (rust-src)"
        rustc=$1
    elif command -v apt-get >/dev/null && "$cross/debian" "rustc-web=$RUST_WEB" "rust-web-src=$RUST_WEB"; then
        rustc=/usr/bin/rustc
        if [ "$(dpkg-query -W -f '${Version}' rustc-web)" = "$RUST_WEB" ]; then pinned=1; fi
    elif command -v apt-get >/dev/null && "$cross/debian" rustc-web rust-web-src; then
        rustc=/usr/bin/rustc
    elif nightly=$(rustup which --toolchain nightly rustc 2>/dev/null) && has_library "$nightly"; then
        rustc=$nightly
    else
        fail "there is no compiler with the sources of its standard library: install Debian's rustc-web and" \
            "rust-web-src, or run: rustup toolchain install nightly --component rust-src"
    fi
    compiler="$rustc, $("$rustc" --version)"
    if [ -z "$pinned" ]; then
        say "not the pinned compiler (Debian's rustc-web $RUST_WEB): the bytes differ, and the budgets only warn"
    fi
}

# panel_environment SOURCE TARGET [PLAIN]: exports what makes cargo compile SOURCE for the panel into TARGET, after `zig`
# and `rust`; sets build_std, the arguments that build the standard library too. With PLAIN, as a toolchain's own library
# would make it.
panel_environment() {
    local source=$1 target=$2 plain=${3:-}
    local crate flags features=()
    if [ -n "$plain" ]; then
        export UNWINDS=1
        # The library as a toolchain ships it is compiled for speed, and its panics print their text.
        [ "$arch" != armv7 ] || features=(-C target-feature=-d32)
        flags=(-C link-self-contained=no "${features[@]}")
        build_std=(-Z build-std=std,panic_abort)
        for crate in core alloc std compiler_builtins hashbrown panic_abort std_detect; do
            build_std+=(--config "profile.panel.package.$crate.opt-level=3")
        done
    else
        [ "$arch" != armv7 ] || features=(-C target-feature=-d32,+thumb-mode)
        flags=(
            -C link-self-contained=no -C relocation-model=static "${features[@]}"
            -C force-unwind-tables=no -Z unstable-options -C panic=immediate-abort -Z fmt-debug=shallow
        )
        build_std=(-Z build-std=std,panic_abort -Z build-std-features=optimize_for_size)
    fi
    static_environment "$source" "$target" "-fno-unwind-tables -fno-asynchronous-unwind-tables" "${flags[@]}"
    # Symbols and lines are for the debug file.
    export CARGO_PROFILE_PANEL_STRIP=none CARGO_PROFILE_PANEL_DEBUG=line-tables-only
}

# server_environment SOURCE TARGET: the same for a program of a server, whose panics unwind and print their text.
server_environment() {
    export UNWINDS=1
    build_std=(-Z build-std=std,panic_unwind)
    static_environment "$1" "$2" "" -C link-self-contained=no -C relocation-model=static
    export CARGO_PROFILE_RELEASE_STRIP=none CARGO_PROFILE_RELEASE_DEBUG=line-tables-only
}

# static_environment SOURCE TARGET C-FLAGS RUST-FLAG…
static_environment() {
    local source=$1 target=$2 c_flags=$3
    shift 3
    # A place for the build ID, which `separate` computes.
    local library path flags=("$@" -C "link-arg=-Wl,--build-id=0x$(printf '%040d' 0)")
    library=$("$rustc" --print sysroot)/lib/rustlib/src/rust/library
    # Paths of this machine would make the bytes depend on where they were built.
    for path in "$source=." "${CARGO_HOME:-$HOME/.cargo}=cargo" "$library=rust" "$target=target"; do
        flags+=(--remap-path-prefix "$path")
        c_flags+=" -ffile-prefix-map=$path"
    done

    local name=${triple//-/_}
    export RUSTC_BOOTSTRAP=1 RUSTC=$rustc CARGO_TARGET_DIR=$target SOURCE_DATE_EPOCH=0
    export CARGO_ENCODED_RUSTFLAGS "CFLAGS_$name=${c_flags# }" "CC_$name=$tools/cc" "AR_$name=$tools/ar"
    CARGO_ENCODED_RUSTFLAGS=$(IFS=$'\x1f'; echo "${flags[*]}")
    export "CARGO_TARGET_${name^^}_LINKER=$tools/cc"
}

# name_commit SOURCE: `--version` names the commit. An archive of the source has it in a file, and the copy of --twice
# has it from its caller.
name_commit() {
    local commit
    commit=${INTERCOM_AGENT_COMMIT:-$(git -C "$1" describe --always --dirty --abbrev=12 --exclude='*' 2>/dev/null ||
        grep -oE '^[0-9a-f]{12}' "$1/COMMIT" || true)}
    [ -z "$commit" ] || export INTERCOM_AGENT_COMMIT=$commit
}

# separate LINKED FILE: FILE without symbols, and FILE.debug with them, under one build ID.
separate() {
    local linked=$1 file=$2 part
    "$binutils-strip" --strip-all -R .comment -o "$file" "$linked"
    "$binutils-objcopy" --only-keep-debug "$linked" "$file.debug"
    # The linker's own ID would hash the debug sections too, in which zig's musl names paths of this machine.
    build_id=$(sha1sum <"$file" | cut -c1-40)
    printf '\4\0\0\0\24\0\0\0\3\0\0\0GNU\0%b' "$(sed 's/../\\x&/g' <<<"$build_id")" >"$file.id"
    for part in "$file" "$file.debug"; do
        "$binutils-objcopy" --update-section .note.gnu.build-id="$file.id" "$part"
    done
    rm "$file.id"
}
