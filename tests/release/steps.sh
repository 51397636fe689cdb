# What is done with the archive and the container, and what has to be seen then. To be sourced by run.
# shellcheck shell=bash disable=SC2154 # work is run's

. packaging/common.sh
archive=intercom-agent-$version-armv7
old=00:00:5E:00:53:01 new=00:00:5E:00:53:02

# within SECONDS COMMAND…: it succeeds until then.
within() {
    local until=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt "$until" ] || fail "not within the time: $*"
        sleep 0.2
    done
}

# row PACKAGE WHAT RESULT: a line of the table.
row() {
    echo "| $1 | $2 | $3 |" >>"$work/table"
}

leave() {
    [ ! -e "$work/daemon" ] || kill -KILL "$(cat "$work/daemon")" 2>/dev/null || true
    runc --root "$work/runc" delete --force billing 2>/dev/null || true
}

same_bytes() {
    (cd "$out" && sha256sum --quiet --check SHA256SUMS)
    sha256sum "$out/$archive.tar.gz" >"$work/digest"
    packaging/panel armv7
    sha256sum --check "$work/digest"
    row "$archive.tar.gz" made "$(stat -c %s "$out/$archive.tar.gz") bytes, twice the same"
    # As on a panel.
    busybox tar -C "$work" -xzf "$out/$archive.tar.gz"
    grep -qF "intercom-agent $version (commit $commit)" "$work/$archive/VERSION"
    agent --version | grep -qxFf "$work/$archive/VERSION"
}

# Each of these fails where a crate of `cargo tree` is missing; the notices were made with the archive.
inventories() {
    local package
    for package in intercom-agent intercom-billing; do
        packaging/sbom "$package" | jq -e '.components | length > 0'
    done
    grep -q '^  tokio ' "$out/intercom-agent-$version.notices"
    row "$archive.tar.gz" "notices, SBOM" "each crate of \`cargo tree\` is in them"
}

# The agent of the archive, or of the board when it is installed there.
agent() {
    local binary=$work/board/usr/sbin/intercom-agent
    [ -e "$binary" ] || binary=$work/$archive/intercom-agent
    qemu-arm-static "$binary" "$@"
}

container_runs() {
    local binary=cross/out/billing/x86_64/intercom-billing image=$work/image:$version libraries=()
    if [ ! -e "$binary" ]; then
        binary=$work/intercom-billing
        strip -o "$binary" "${CARGO_TARGET_DIR:-target}/debug/intercom-billing"
        libraries=(/lib /lib64 /usr/lib)
    fi
    packaging/container x86_64 "$binary"
    mkdir "$work/image"
    tar -C "$work/image" -xf "$out/intercom-billing-$version-x86_64.oci.tar"
    umoci unpack --image "$image" "$work/bundle"
    # For the test alone: the network of this test, and what a binary that is not static needs.
    jq --args 'del(.linux.namespaces[] | select(.type == "network")) | .root.readonly = true | .process.terminal = false
        | .mounts |= map(select(.destination != "/data"))
        | .mounts += [{destination: "/data", type: "bind", source: "'"$work"'/data", options: ["rbind", "rw"]}]
        | .mounts += [$ARGS.positional[] | {destination: ., type: "bind", source: ., options: ["rbind", "ro"]}]' \
        "${libraries[@]}" <"$work/bundle/config.json" >"$work/config.json"
    mv "$work/config.json" "$work/bundle/config.json"
    install -d -m 700 -o 65532 -g 65532 "$work/data"
    # The directories that a test binary's libraries are bound to cannot be made in a read-only root.
    for path in "${libraries[@]}"; do mkdir -p "$work/bundle/rootfs$path"; done
    runc --root "$work/runc" run --detach --bundle "$work/bundle" --pid-file "$work/pid" billing >"$work/billing.log" 2>&1 </dev/null
    within 20 billing health --ready
    [ "$(stat -c %u "/proc/$(cat "$work/pid")")" = 65532 ]
    [ -s "$work/data/billing.sqlite" ]
    grep -q ' ro,' <<<"$(awk '$5 == "/"' "/proc/$(cat "$work/pid")/mountinfo")" || fail "its root can be written"
    row "intercom-billing-$version-x86_64.oci.tar" "made, run by runc" "user 65532, read-only, $(billing health)"
}

# A firmware that sets the MAC itself.
board() {
    mkdir -p "$work"/board/{etc/init.d,sys/class/net/eth0,usr/sbin,usr/lib,var/lib,run}
    echo "${old,,}" >"$work/board/sys/class/net/eth0/address"
    echo BOARD-1 >"$work/board/etc/serial"
    # shellcheck disable=SC2016 # it is the firmware's
    echo 'ip link set eth0 address $(fw_printenv -n ethaddr)' >"$work/board/etc/init.d/S40network"
    echo '::sysinit:/etc/init.d/rcS' >"$work/board/etc/inittab"
}

# Every file and directory of the board, and what is in it.
state() {
    (cd "$work/board" && find . -type f -printf "%p " -exec cksum {} \; -o -printf "%p\n" | sort)
}

install_archive() { # OPTION
    (cd "$work/$archive" && busybox sh ./install --root "$work/board" "$1")
}

upgraded() {
    board
    state >"$work/before"
    # Of the last commit, if the clone has it.
    mkdir "$work/last"
    git archive "$(git rev-parse --verify --quiet HEAD^ || echo HEAD)" systemd | tar -C "$work/last" -xf -
    busybox sh "$work/last/systemd/install" --root "$work/board" --binary /bin/busybox --busybox
    cat >"$work/board/etc/intercom-agent.toml" <<-END
	board_name = "gate-1"
	models = ["3516EV200"]
	settle = 1
	[serial_number]
	sources = ["file:/etc/serial"]
	[mqtt]
	url = "mqtt://127.0.0.1"
	username = "gate-1"
	password_file = "/etc/intercom-agent/token"
	END
    cp "$work/board/etc/intercom-agent.toml" "$work/configuration"
    install_archive --busybox
    cmp "$work/board/etc/intercom-agent.toml" "$work/configuration"
    cmp "$work/board/usr/sbin/intercom-agent" "$work/$archive/intercom-agent"
    local file
    for file in "$work/$archive"/busybox/S??intercom-*; do cmp "$file" "$work/board/etc/init.d/${file##*/}"; done
    grep -q 'intercom-mac eth0' "$work/board/etc/init.d/S40network"
    install_archive --busybox >"$work/again"
    ! grep installed "$work/again" || fail "it was not whole"
    row "$archive.tar.gz" upgraded "over what the last commit's systemd/install has left; the configuration is kept"
}

billing() {
    runc --root "$work/runc" exec billing /intercom-billing "$@"
}

token() { # OPTION…
    billing token add --database /data/billing.sqlite "$@"
}

api() { # METHOD PATH [BODY]
    curl -sS --fail-with-body --max-time 20 -X "$1" -H "Authorization: Bearer $(cat "$work/token")" -H 'Content-Type: application/json' ${3:+-d "$3"} \
        "http://127.0.0.1:8080$2"
}

is_installed() {
    api GET "/api/v1/billing/intercoms/show?mac=$new" | jq -e '.status == "installed" and .source == "auto-replace"'
}

change() {
    (umask 077 && token --role panel --board gate-1 >"$work/board/etc/intercom-agent/token")
    token --role operator >"$work/token"
    agent --root "$work/board" config >/dev/null
    agent --root "$work/board" restore
    # Not by the function: its shell would be killed in the end, and not the daemon.
    qemu-arm-static "$work/board/usr/sbin/intercom-agent" --root "$work/board" run >"$work/agent.log" 2>&1 &
    echo $! >"$work/daemon"
    api POST /api/v1/billing/intercoms "{\"mac\": \"$old\", \"serial_number\": \"BOARD-1\", \"vendor\": \"example\",
        \"model\": \"3516EV200\", \"name\": \"Gate\", \"department\": 1, \"group_external_id\": \"site\"}"
    api PATCH /api/v1/billing/intercoms "{\"mac\": \"$old\", \"new_mac\": \"$new\", \"new_serial_number\": \"NEW-1\",
        \"model\": \"3516EV200\", \"group_external_id\": \"site\"}"
    within 60 is_installed
    grep -qix "$new" "$work/board/sys/class/net/eth0/address"
    jq -e '.serial_number == "NEW-1"' "$work/board/run/intercom-agent/identity.json"
    row "$archive.tar.gz" "main job, with the container" "$old → $new over MQTT, confirmed and reported"
}

# left: what of the board is there now and was not before, or the other way round.
left() {
    { state | diff "$work/before" - || true; } | sed -n 's/^\([<>] [^ ]*\).*/\1/p' | sort -u
}

removed() {
    kill "$(cat "$work/daemon")"
    within 20 eval '! kill -0 "$(cat "$work/daemon")" 2>/dev/null'
    install_archive --remove
    left | tee "$work/left"
    # The link is the board's, and has the new identity.
    local documented='^> \./(etc/intercom-agent(\.toml|/token|)|var/lib/intercom-agent(/.*)?|run/intercom-agent(/.*)?)$|^[<>] \./sys/class/net/eth0/address$'
    [ -z "$(grep -vE "$documented" "$work/left")" ]
    grep -q 'etc/intercom-agent.toml' "$work/left"
    row "$archive.tar.gz" removed "left: the configuration and the record, as documented"
}

undone() {
    agent --root "$work/board" rollback --factory
    # README, "Undo everything".
    rm -rf "$work"/board/etc/intercom-agent* "$work/board/var/lib/intercom-agent" "$work/board/run/intercom-agent"
    state | diff "$work/before" -
    row "$archive.tar.gz" undone "nothing is left"
}

with_systemd() {
    install_archive --systemd
    [ -e "$work/board/usr/lib/systemd/system/intercom-agent.service" ]
    install_archive --remove
    rm "$work/board/etc/intercom-agent.toml"
    state | diff "$work/before" -
}
