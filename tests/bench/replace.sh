#!/bin/bash
# replace.sh DIR BROKER: what a careful firmware engineer writes for a panel without the agent.
#
# It takes requests from the topic of the board `gate-1`, for the interface eth0, one after the other. A change is validated,
# written down durably before anything is touched, made, verified, made durable, copied to the U-Boot environment, and reported.
# It does not look for another panel with the new MAC, cannot roll back by itself, and believes its clock.

set -u
dir=$1 broker=$2
interface=eth0 board=gate-1 model=3516EV200
record=$dir/state/record.json ledger=$dir/state/ledger run=$dir/run
export LC_ALL=C
touch "$ledger"

# Replaces the record: after a power cut it is the old one or the new one.
save() {
    printf '%s\n' "$1" >"$record.new" && sync "$record.new" && mv "$record.new" "$record" && sync "$dir/state"
}

publish() {
    mosquitto_pub -h "$broker" -q 1 "$@"
}

report() {
    jq -nc --arg id "$1" --arg status "$2" --arg mac "$3" --arg serial "$4" --arg reason "${5:-}" --arg board "$board" \
        '{request_id: $id, status: $status, source: "auto-replace", mac: $mac, serial_number: $serial, board: $board, reason: $reason}'
}

replace() {
    local request=$1 id target new serial for_model old
    # One pass of jq: each field, or an empty line if it is not what it should be.
    { read -r id; read -r target; read -r new; read -r serial; read -r for_model; } < <(jq -r '
        def text(re): if type == "string" and test(re) then . else "" end;
        (.request_id | text("^[A-Za-z0-9_.-]{1,64}$")),
        ((.target.mac // .mac) | text("^([0-9A-F]{2}:){5}[0-9A-F]{2}$")),
        (.new_mac | text("^[0-9A-F][02468ACE](:[0-9A-F]{2}){5}$")),
        (.new_serial_number | text("^[A-Za-z0-9_.-]{1,64}$")),
        (.model | text("^[A-Za-z0-9_. -]{1,64}$"))' <<<"$request" 2>/dev/null)
    old=$(tr a-f A-F <"/sys/class/net/$interface/address")
    if [ -z "$id" ] || grep -qx "$id" "$ledger" || [ "$target" != "$old" ]; then
        return
    fi
    if [ -z "$new" ] || [ -z "$serial" ] || [ "$for_model" != "$model" ]; then
        publish -t "intercoms/by-board/$board/status" -m "$(report "$id" rejected "$old" "" "the request is not valid")"
        return
    fi

    # The intention, durable before anything is touched.
    save "{\"change\": {\"id\": \"$id\", \"from\": \"$old\", \"to\": \"$new\", \"serial_number\": \"$serial\"}}" || return
    ip link set dev "$interface" address "$new"
    if [ "$(tr a-f A-F <"/sys/class/net/$interface/address")" != "$new" ]; then
        ip link set dev "$interface" address "$old"
        publish -t "intercoms/by-board/$board/status" -m "$(report "$id" failed "$old" "" "the link would not take it")"
        return
    fi
    printf 'MAC="%s"\nSERIAL_NUMBER="%s"\n' "$new" "$serial" >"$run/identity.env.new" && mv "$run/identity.env.new" "$run/identity.env"
    echo "the board now carries $new"

    # A new connection under the new identity.
    if ! publish -r -t "intercoms/by-board/$board/presence" -m "{\"state\": \"online\", \"board\": \"$board\"}"; then
        ip link set dev "$interface" address "$old"
        return
    fi
    echo "reached under the new identity"

    save "{\"mac\": \"$new\", \"serial_number\": \"$serial\", \"report\": \"$id\"}" || return
    echo "$id" >>"$ledger" && sync "$ledger"
    echo "confirmed and durable: $new"
    printf 'ethaddr=%s\nserialno=%s\n' "$new" "$serial" | fw_setenv --script - || return
    [ "$(fw_printenv -n ethaddr)" = "$new" ] || return
    echo "the U-Boot environment now says ethaddr=$new"

    publish -t "intercoms/by-board/$board/status" -m "$(report "$id" installed "$new" "$serial")" || return
    save "{\"mac\": \"$new\", \"serial_number\": \"$serial\"}"
    echo "the report has arrived"
}

echo "board $board: $(cat "/sys/class/net/$interface/address")"
mosquitto_sub -h "$broker" -i "$board" -c -q 1 -t "intercoms/by-board/$board/patch/#" | while read -r request; do
    replace "$request"
done
