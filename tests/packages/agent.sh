# The agent, on the machines "panel" and "older". To be sourced by run.

agent_units="intercom-agent.service intercom-agent-networkd.path intercom-agent-restore.service"

# board NAME ARCH ADDRESS: a machine that is a panel.
board() {
    machine "$1" "$2"
    rm "$work/$1/root/etc/systemd/system/multi-user.target.wants/mosquitto.service"
    address "$1" "$3/24"
    echo "BOARD-$1" >"$work/$1/root/etc/serial"
}

# door NAME: billing has a door with the machine's own identity.
door() {
    api POST /api/v1/billing/intercoms "{\"mac\": \"$(link "$1")\", \"serial_number\": \"BOARD-$1\", \"vendor\": \"example\",
        \"model\": \"3516EV200\", \"name\": \"$1\", \"department\": 1, \"group_external_id\": \"site\"}"
}

link() { # NAME: the MAC address of its interface.
    inside "$1" cat /sys/class/net/host0/address | tr a-f A-F
}

# configure NAME: what an installer writes.
configure() {
    sed -i -e "s|mqtt://broker.example:1883|mqtt://$server|" -e 's|^#interface = .*|interface = "host0"|' \
        -e 's|^#models = .*|models = ["3516EV200"]|' -e 's|^#sources = .*|sources = ["file:/etc/serial"]|' \
        -e 's|^#settle = .*|settle = 1|' "$work/$1/root/etc/intercom-agent.toml"
}

agent_installed() {
    board panel amd64 10.77.0.2
    boot panel
    state panel | sort >"$work/panel/before"
    install_deb panel intercom-agent 1 | tee "$work/panel/said"
    grep -q 'write into /etc/intercom-agent.toml' "$work/panel/said"
    [ "$(inside panel systemctl is-active intercom-agent)" = inactive ]
    # Installed again, it waits still: nobody has written where its broker is.
    install_deb panel intercom-agent 1
    [ "$(inside panel systemctl is-active intercom-agent)" = inactive ]
    # shellcheck disable=SC2086  # words
    inside panel systemctl is-enabled $agent_units
    [ "$(inside panel stat -c '%a %U' /etc/intercom-agent.toml)" = "600 intercom-agent" ]
    configure panel
    inside panel intercom-agent config >/dev/null
    inside panel systemctl start intercom-agent intercom-agent-networkd.path
    exposed panel intercom-agent.service
    [ "$(inside panel stat -c %U "/proc/$(main_pid panel intercom-agent)")" = intercom-agent ]
    door panel
    row intercom-agent installed "waits for a configuration, then runs as intercom-agent"
}

# What is shown with systemd/install, such as on the emulated boards, holds for the package.
same_as_script() {
    local both=$work/both
    mkdir "$both"
    dpkg-deb --extract "$(deb intercom-agent 1)" "$both/package"
    "$source/systemd/install" --root "$both/script" --binary "$work/bin/intercom-agent" --systemd
    # The package has the first configuration elsewhere, and dpkg its list.
    rm "$both/script/etc/intercom-agent.toml" "$both/script/usr/lib/intercom-agent/installed"
    (cd "$both/script" && find . -type f) | while read -r file; do
        cmp "$both/script/$file" "$both/package/$file"
    done
}

# change NAME: the documented call; billing shows it as installed by the panel, whose link and files have it.
change() {
    local old new serial
    old=$(link "$1")
    echo >>"$work/changes"
    new=$(last_mac) serial=NEW-$(wc -l <"$work/changes")
    within 20 inside "$1" intercom-agent status
    api PATCH /api/v1/billing/intercoms "{\"mac\": \"$old\", \"new_mac\": \"$new\", \"new_serial_number\": \"$serial\",
        \"model\": \"3516EV200\", \"group_external_id\": \"site\"}"
    (within 60 is_installed "$new") || {
        api GET /api/v1/requests | jq -c '.requests[0]'
        inside "$1" journalctl --no-pager -n 20 -u intercom-agent
        fail "it is not installed"
    }
    [ "$(link "$1")" = "$new" ]
    inside "$1" cat /run/intercom-agent/identity.json | jq -e --arg s $serial '.serial_number == $s'
    row intercom-agent "main job on $1" "$old → $new, installed and reported"
}

# The MAC address of the last change; each has its own.
last_mac() {
    printf '02:00:5E:00:53:%02X' "$(wc -l <"$work/changes")"
}

is_installed() { # MAC
    api GET "/api/v1/billing/intercoms/show?mac=$1" 2>/dev/null | jq -e '.status == "installed" and .source == "auto-replace"'
}

agent_upgraded() { # NAME
    local before configuration record mac
    before=$(main_pid "$1" intercom-agent)
    configuration=$(inside "$1" md5sum /etc/intercom-agent.toml)
    record=$(inside "$1" intercom-agent identity --json | jq -c)
    mac=$(link "$1")
    install_deb "$1" intercom-agent 2
    inside "$1" systemctl is-active intercom-agent
    [ "$(main_pid "$1" intercom-agent)" != "$before" ]
    inside "$1" dpkg --verify intercom-agent
    [ "$(inside "$1" md5sum /etc/intercom-agent.toml)" = "$configuration" ]
    [ "$(inside "$1" intercom-agent identity --json | jq -c)" = "$record" ]
    [ "$(link "$1")" = "$mac" ]
    row intercom-agent "upgraded on $1" "the new program runs; configuration, record, identity kept"
}

agent_removed() { # NAME
    inside "$1" dpkg --remove intercom-agent
    ! inside "$1" pidof intercom-agent || fail "it runs still"
    inside "$1" ls /etc/intercom-agent.toml /var/lib/intercom-agent
    ! inside "$1" ls /usr/sbin/intercom-agent /usr/lib/systemd/system/intercom-agent.service || fail "its files are there"
    row intercom-agent "removed on $1" "left: $(left_files "$1")"
}

agent_purged() { # NAME
    local is
    inside "$1" dpkg --purge intercom-agent
    is=$(left "$1")
    row intercom-agent "purged on $1" "left: $(tr '\n' ' ' <<<"${is//> /}")"
    echo "$is"
    [ "$is" = "> group intercom-agent
> user intercom-agent" ]
}

older_upgraded() {
    local unit=intercom-agent-networkd.path
    board older amd64 10.77.0.3
    boot older
    state older | sort >"$work/older/before"
    "$source/systemd/install" --root "$work/older/root" --binary "$work/bin/intercom-agent" --systemd
    configure older
    # Where somebody has edited a unit, that goes on counting.
    echo "# by hand" >>"$work/older/root/usr/lib/systemd/system/$unit"
    inside older systemd-sysusers
    inside older systemd-tmpfiles --create
    inside older systemctl daemon-reload
    inside older systemctl start intercom-agent-restore intercom-agent intercom-agent-networkd.path
    door older
    agent_upgraded older
    inside older grep -q "by hand" "/etc/systemd/system/$unit"
    ! inside older ls /usr/lib/intercom-agent || fail "the list of systemd/install is there"
}

older_purged() {
    inside older dpkg --purge intercom-agent
    local is
    is=$(left older | grep -v intercom-agent-networkd.path || true)
    echo "$is"
    [ "$is" = "> group intercom-agent
> user intercom-agent" ]
    row intercom-agent "purged on older" "left: its user, and the unit that somebody edited"
}
