# The billing service and its broker, on the machine "server". To be sourced by run.

server=10.77.0.1

api() { # METHOD PATH [BODY]
    inside server curl -sS --fail-with-body --max-time 20 -X "$1" -H 'Content-Type: application/json' ${3:+-d "$3"} \
        "http://127.0.0.1:8080$2"
}

billing_installed() {
    machine server amd64
    address server $server/24
    printf 'listener 1883\nallow_anonymous true\n' >"$work/server/root/etc/mosquitto/conf.d/open.conf"
    boot server
    state server | sort >"$work/server/before"
    install_deb server intercom-billing 1
    # Debian's mosquitto is there and has the port of the built-in broker.
    inside server sed -i "s|^#broker = .*|broker = \"mqtt://127.0.0.1\"|" /etc/intercom-billing.toml
    inside server systemctl restart intercom-billing
    within 20 inside server intercom-billing health --ready
    [ "$(inside server stat -c %U "/proc/$(main_pid server intercom-billing)")" = intercom-billing ]
    [ "$(inside server stat -c '%a %U' /var/lib/intercom-billing)" = "700 intercom-billing" ]
    inside server systemctl is-enabled intercom-billing.service intercom-billing-backup.timer
    inside server systemctl is-active intercom-billing-backup.timer
    exposed server intercom-billing.service
    exposed server intercom-billing-backup.service
    row intercom-billing installed "runs as intercom-billing, $(exposed server intercom-billing.service | tail -n 1)"
}

billing_upgraded() {
    local before
    before=$(main_pid server intercom-billing)
    install_deb server intercom-billing 2
    within 20 inside server intercom-billing health --ready
    [ "$(main_pid server intercom-billing)" != "$before" ]
    inside server grep -q '^broker = ' /etc/intercom-billing.toml
    is_installed "$(last_mac)"
    row intercom-billing upgraded "the new program runs; configuration and database kept"
}

billing_backed_up() {
    local old=/var/backups/intercom-billing/billing-old.sqlite
    inside server install -o intercom-billing -m 600 /dev/null $old
    inside server touch -d "40 days ago" $old
    inside server systemctl start intercom-billing-backup
    ! inside server ls $old || fail "a copy of 40 days ago is kept beside a new one"
    inside server sh -c 'ls -l /var/backups/intercom-billing/billing-*.sqlite'
    row intercom-billing "backed up" "$(inside server sh -c 'ls /var/backups/intercom-billing')"
}

billing_removed() {
    inside server dpkg --remove intercom-billing
    ! inside server pidof intercom-billing || fail "it runs still"
    inside server ls /etc/intercom-billing.toml /var/lib/intercom-billing/billing.sqlite
    row intercom-billing removed "left: $(left_files server)"
}

billing_purged() {
    local is
    # A partition of its own, which cannot be removed.
    inside server mount --bind /var/lib/intercom-billing /var/lib/intercom-billing
    inside server dpkg --purge intercom-billing
    [ -z "$(inside server ls -A /var/lib/intercom-billing)" ]
    inside server umount /var/lib/intercom-billing
    inside server rmdir /var/lib/intercom-billing
    is=$(left server)
    echo "$is"
    row intercom-billing purged "left: $(tr '\n' ' ' <<<"${is//> /}")"
    [ "$(sed 's/billing-.*sqlite$/billing-DATE.sqlite/' <<<"$is")" = "> /var/backups/intercom-billing
> /var/backups/intercom-billing/billing-DATE.sqlite
> group intercom-billing
> user intercom-billing" ]
}
