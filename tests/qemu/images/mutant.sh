#!/usr/bin/env bash
# mutant.sh FILE OLD NEW: the agent as cross/build makes it, but with the one line OLD of FILE replaced by NEW; and its
# debug file.
. "$(dirname "$0")/common.sh"
need git
file=$1 old=$2 new=$3
checkout=$(cd "$here/../.." && pwd)
# Always the same directory: what was compiled for one mutant serves the next.
source=$cache/mutant

build() {
    # Of two checkouts that build a mutant at once the second one waits.
    exec 9>"$source.lock"
    flock 9
    mkdir -p "$source"
    find "$source" -mindepth 1 -maxdepth 1 ! -name cross -exec rm -rf {} +
    # Dated now (-m): what an earlier mutant changed in another crate would pass as compiled already.
    (cd "$checkout" && git ls-files -z -c -o --exclude-standard | tar -c --null --ignore-failed-read -T - | tar -x -m -C "$source")
    [ "$(grep -cxF -- "$old" "$source/$file")" = 1 ] || { echo "$file has not exactly one line: $old"; return 1; }
    awk -v old="$old" -v new="$new" '$0 == old { print new; next } { print }' "$source/$file" >patched
    mv patched "$source/$file"
    rm -f "$source"/cross/out/intercom-agent{,.debug}
    "$source/cross/build"
    cp "$source"/cross/out/intercom-agent{,.debug} .
}

key="$file $old $new $(cd "$checkout" && git ls-files -z -c -o --exclude-standard -- src crates Cargo.lock Cargo.toml cross | xargs -0 sha256sum)"
keep mutant-agent "$key" build
