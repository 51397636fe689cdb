# The armhf package, on a machine that is emulated process by process: systemd cannot be booted like this, so the daemon is
# started by hand. To be sourced by run.

# Makes the kernel run programs for armhf, until `armhf_forget`.
armhf_known() {
    local misc=/proc/sys/fs/binfmt_misc
    mountpoint -q $misc || mount -t binfmt_misc binfmt_misc $misc
    if [ ! -e $misc/qemu-arm ] && [ ! -e $misc/intercom-arm ]; then
        printf '%s' ':intercom-arm:M::\x7fELF\x01\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x28\x00:\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:/usr/bin/qemu-arm-static:F' >$misc/register
    fi
}

armhf_forget() {
    [ ! -e /proc/sys/fs/binfmt_misc/intercom-arm ] || echo -1 >/proc/sys/fs/binfmt_misc/intercom-arm
}

armhf_installed() {
    board armhf armhf 10.77.0.4
    systemd-nspawn --quiet --directory="$work/armhf/root" --machine=armhf --register=no --keep-unit \
        --network-bridge=packages --link-journal=no --as-pid2 sleep infinity >"$work/armhf/console" 2>&1 </dev/null &
    echo $! >"$work/armhf/nspawn"
    within 20 eval 'pgrep -P $(cat "$work/armhf/nspawn") >"$work/armhf/init"'
    within 20 inside armhf test -e /sys/class/net/host0
    nsenter --target "$(cat "$work/armhf/init")" --net ip addr add 10.77.0.4/24 dev host0
    nsenter --target "$(cat "$work/armhf/init")" --net ip link set host0 up
    state armhf | sort >"$work/armhf/before"
    install_deb armhf intercom-agent 1 armhf
    configure armhf
    inside armhf intercom-agent config >/dev/null
    door armhf
    inside armhf intercom-agent restore
    inside armhf intercom-agent run >"$work/armhf/log" 2>&1 &
    row intercom-agent "installed on armhf" "$(inside armhf intercom-agent --version)"
}

# What an upgrade does not change.
armhf_kept() {
    inside armhf md5sum /etc/intercom-agent.toml /var/lib/intercom-agent/record.json
    inside armhf intercom-agent identity --json
}

armhf_upgraded() {
    local before
    before=$(armhf_kept)
    install_deb armhf intercom-agent 2 armhf
    inside armhf dpkg --verify intercom-agent
    [ "$(armhf_kept)" = "$before" ]
    row intercom-agent "upgraded on armhf" "configuration, record, identity kept"
}

armhf_purged() {
    inside armhf pkill -f 'intercom-agent run' || true
    inside armhf dpkg --remove intercom-agent
    inside armhf ls /etc/intercom-agent.toml /var/lib/intercom-agent
    agent_purged armhf
}
