//! The configuration as a specification.

use std::path::{Path, PathBuf};
use std::time::Duration;

use intercom_wire::{BoardName, Mac, SerialNumber};
use log::LevelFilter;
use proptest::prelude::*;

use super::secret_file::is_private;
use super::*;
use crate::environment::Policy;
use crate::root::Root;
use crate::testing::Sandbox;

/// The file that is installed as `/etc/intercom-agent.toml`.
const EXAMPLE: &str = include_str!("../../systemd/intercom-agent.toml");

fn read(text: &str) -> Settings {
    parse(text, Path::new("a.toml")).unwrap_or_else(|why| panic!("{why}"))
}

fn wrong(text: &str) -> String {
    parse(text, Path::new("a.toml")).expect_err("wrong").to_string()
}

fn mqtt(lines: &str) -> String {
    format!("[mqtt]\nurl = \"mqtts://broker.example\"\n{lines}\n")
}

#[test]
fn an_absent_file_means_the_defaults() {
    let settings = load(Sandbox::new().root(), None).expect("the defaults");
    assert_eq!(settings, read(""));
    assert_eq!(settings.interface, "eth0");
    assert_eq!(settings.id, None);
    assert_eq!(settings.models, [""; 0]);
    assert_eq!(settings.placeholder_macs, ["00:00:23:34:45:66".parse::<Mac>().expect("a MAC")]);
    assert_eq!(settings.state_dir, Path::new("/var/lib/intercom-agent"));
    assert_eq!(settings.runtime_dir, Path::new("/run/intercom-agent"));
    assert_eq!(settings.hooks_dir, Path::new("/etc/intercom-agent/hooks.d"));
    assert_eq!(settings.hook_time_limit, Duration::from_secs(30));
    assert_eq!(settings.environment, Policy::RedundantOnly);
    assert_eq!(settings.confirm_within, Duration::from_secs(180));
    assert_eq!(settings.settle, Duration::from_secs(5));
    assert_eq!(settings.changes_per_hour, 6);
    assert_eq!(settings.log_level, LevelFilter::Info);
    assert_eq!(
        settings.serial_number.sources.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["env serialno", "env serial#", "device tree", "/proc/cpuinfo"]
    );
    assert!(!settings.signature.required && settings.signature.keys.is_empty());
    assert_eq!((settings.mqtt, settings.http), (None, None));
}

#[test]
fn the_daemon_needs_someone_to_talk_to() {
    let root = Root::system();
    let why = read("").require_upstream(&root).expect_err("nobody").to_string();
    assert!(why.contains("/etc/intercom-agent.toml needs an [mqtt] section"), "{why}");
    let telling = read("[billing]\nurl = \"http://b\"");
    assert!(telling.require_upstream(&root).is_err(), "no request can come from there");
    assert!(read(&mqtt("")).require_upstream(&root).is_ok());
    assert!(read("[http]\nurl = \"http://b\"").require_upstream(&root).is_ok());
}

#[test]
fn the_installed_example_is_valid_and_shows_the_defaults() {
    let shown = read(EXAMPLE);
    let upstream = "[mqtt]\nurl = \"mqtt://broker.example:1883\"\n";
    assert_eq!(shown, read(upstream));
}

/// The example with every setting in use.
fn used_example() -> String {
    // A setting that is commented out begins right after its `#`; words begin after a space.
    let used: String = EXAMPLE
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(rest) if !rest.starts_with(' ') => format!("{rest}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    used.replace("mqtt://", "mqtts://")
}

#[test]
fn what_is_in_force_is_a_configuration_that_means_the_same() {
    let tls = "ca_file = \"/ca\"\nclient_cert_file = \"/c\"\nclient_key_file = \"/k\"\n";
    let full = format!(
        "id = 7\nboard_name = \"gate-1\"\nmodels = [\"A \\\"B\\\"\"]\nsettle = 9\n\
         environment = \"always\"\nlog_level = \"debug\"\nmac_variable = \"eth1addr\"\n\
         [serial_number]\nsources = [\"env:a\", \"device-tree\", \"cpuinfo\", \"die-id\", \
         \"file:/s\", \"command:/bin/c a b\"]\nenvironment_variable = \"sn\"\n\
         [mqtt]\nurl = \"mqtts://b\"\nusername = \"u\"\npassword_file = \"/p\"\n\
         alpn = [\"mqtt\"]\nkeep_alive = 40\nserver_name = \"n\"\ntls_min = \"1.3\"\n{tls}\
         [mqtt.topics]\npatch = \"a/{{mac}}\"\n\
         [http]\nurl = \"https://h/base\"\ntoken_file = \"/t\"\ninsecure = true\n\
         insecure_with_credentials = true\nproxy = \"http://p:1\"\npending = \"/x\"\n\
         [billing]\nurl = \"http://i\"\ntoken_file = \"/t\"\n"
    );
    for text in [used_example(), full, String::new(), "[http]\nurl = \"http://h\"\n".to_owned()] {
        let (settings, in_force) =
            load::parse_with_in_force(&text, Path::new("a.toml")).expect("valid");
        let shown = in_force.as_toml();
        // A key is never shown: it may be the private one, by mistake.
        assert!(!shown.contains("11qYAYKxCrfVS"), "{shown}");
        let shown = shown.replace("required = true", "");
        let again = read(&shown);
        assert_eq!(again, Settings { signature: again.signature.clone(), ..settings }, "{shown}");
    }
}

#[test]
fn every_line_of_the_example_is_valid_when_it_is_used() {
    let settings = read(&used_example());
    assert!(settings.id.is_some() && settings.board_name.is_some());
    let mqtt = settings.mqtt.expect("an [mqtt] section");
    assert!(mqtt.password.is_some() && mqtt.tls.client.is_some());
    assert!(matches!(
        mqtt.tls.trust,
        Trust::Authorities { ca_file: Some(_), server_name: Some(_) }
    ));
    assert_eq!(mqtt.alpn, ["mqtt"]);
    let http = settings.http.expect("an [http] section");
    assert!(http.token.is_some() && http.proxy.is_some());
    let billing = settings.billing.expect("a [billing] section");
    assert!(billing.token.is_some() && billing.proxy.is_some());
    assert!(settings.serial_number.environment_variable.is_some());
    assert!(!settings.signature.keys.is_empty());
}

#[test]
fn an_error_names_the_file_the_line_the_key_and_what_would_be_right() {
    let unknown = wrong("interface = \"eth0\"\n\n[mqtt]\nurl = \"mqtt://b\"\nkeepalive = 3\n");
    assert!(unknown.starts_with("a.toml, line 5: `mqtt.keepalive`: unknown field"), "{unknown}");
    assert!(unknown.contains("`keep_alive`"), "{unknown}");
    assert_eq!(
        wrong("# mine\ninterface = \"eth0/1\"\n"),
        "a.toml, line 2: `interface`: `eth0/1` is not the name of a network interface, such as eth0"
    );
    let kind = wrong("\nconfirm_within = \"3 minutes\"\n");
    assert!(kind.starts_with("a.toml, line 2: `confirm_within`: "), "{kind}");
    assert!(kind.contains("expected"), "{kind}");
    let listed = wrong("models = [\n  \"a\",\n  7,\n]\n");
    assert!(listed.starts_with("a.toml, line 3: `models`: "), "{listed}");
    let broken = wrong("interface = \"eth0\"\nid = \n");
    assert!(broken.starts_with("a.toml, line 2: "), "{broken}");
    let table = wrong("[mqtt.topic]\npatch = \"a\"\n");
    assert!(table.starts_with("a.toml, line 1: `mqtt.topic`: unknown field"), "{table}");
}

#[test]
fn numbers_have_limits() {
    for (line, text) in [
        ("id = 0", "`id`: 0 is not an id, which is at least 1"),
        ("confirm_within = 5", "`confirm_within`: 5 is not 10 to 3600 seconds"),
        ("hook_time_limit = -1", "`hook_time_limit`: -1 is not 1 to 600 seconds"),
        ("settle = 61", "`settle`: 61 is not 0 to 60 seconds"),
        ("changes_per_hour = 0", "`changes_per_hour`: 0 is not 1 to 100"),
    ] {
        assert_eq!(wrong(line), format!("a.toml, line 1: {text}"));
    }
    assert_eq!(wrong("settle = 1.5").lines().count(), 1);
}

#[test]
fn a_change_is_watched_for_less_than_the_time_that_it_has() {
    assert_eq!(
        wrong("settle = 10\nconfirm_within = 10"),
        "a.toml, line 1: `settle`: 10 is not 0 to 9 seconds, within `confirm_within`"
    );
    for line in ["settle = 9\nconfirm_within = 10", "settle = 60\nconfirm_within = 61"] {
        read(line);
    }
}

#[test]
fn words_are_from_a_list() {
    assert_eq!(read("environment = \"always\"").environment, Policy::Always);
    assert_eq!(read("environment = \"never\"").environment, Policy::Never);
    assert!(wrong("environment = \"yes\"").contains("`redundant-only`, `always` or `never`"));
    assert_eq!(read("log_level = \"debug\"").log_level, LevelFilter::Debug);
    assert!(wrong("log_level = \"loud\"").contains("`error`, `warn`"));
}

#[test]
fn a_serial_number_is_not_written_over_another_variable() {
    let written_to = |name| format!("[serial_number]\nenvironment_variable = \"{name}\"");
    assert_eq!(
        wrong(&written_to("ethaddr")),
        "a.toml, line 2: `serial_number.environment_variable`: `ethaddr` holds something else, which would be lost"
    );
    let own = format!("mac_variable = \"wifi_mac\"\n{}", written_to("wifi_mac"));
    assert!(wrong(&own).contains("line 3: `serial_number.environment_variable`: `wifi_mac` holds"));
    for name in ["eth1addr", "bootcmd", "bootargs", "bootdelay", "preboot", "intercom_mac"] {
        assert!(wrong(&written_to(name)).contains("holds something else"), "{name}");
    }
    assert!(wrong("mac_variable = \"bootcmd\"").contains("`bootcmd` holds something else"));
    for name in ["serialno", "serial#", "board_serial"] {
        let setting = read(&written_to(name)).serial_number.environment_variable;
        assert_eq!(setting.as_deref(), Some(name));
    }
}

#[test]
fn values_that_cannot_be_right_are_refused() {
    for line in [
        "placeholder_macs = [\"FF:FF:FF:FF:FF:FF\"]",
        "placeholder_macs = [\"00:00:23\"]",
        "board_name = \"a/b\"",
        "board_name = \"gate.1\"",
        "board_name = \"patch\"",
        "models = [\"-\"]",
        "state_dir = \"state\"",
        "[serial_number]\nsources = [\"fw_printenv\"]",
        "[serial_number]\nsources = [\"env:\"]",
        "[serial_number]\nsources = [\"env:a=b\"]",
        "[serial_number]\nsources = [\"file:relative\"]",
        "[serial_number]\nsources = [\"command:\"]",
        "[serial_number]\nsources = [\"command:relative\"]",
        "[serial_number]\nsources = [\"cpuinfo:x\"]",
        "[serial_number]\nenvironment_variable = \"a b\"",
        "[mqtt]",
        "[http]",
    ] {
        let why = wrong(line);
        assert!(why.contains("line "), "{why}");
    }
    assert_eq!(
        wrong("\n[mqtt]\nusername = \"x\""),
        "a.toml, line 2: `mqtt.url`: it is missing: the section needs it"
    );
}

#[test]
fn a_broker_is_a_host_and_a_port() {
    for (text, shown) in [
        ("mqtt://broker", "mqtt://broker:1883"),
        ("mqtts://broker/", "mqtts://broker:8883"),
        ("mqtt://10.0.0.1:42", "mqtt://10.0.0.1:42"),
        ("mqtts://[fd00::1]:42", "mqtts://[fd00::1]:42"),
        ("mqtt://[fe80::1%eth0]", "mqtt://[fe80::1%eth0]:1883"),
    ] {
        let broker: Broker = text.parse().expect("a broker");
        assert_eq!(broker.to_string(), shown);
        assert!(!broker.host.contains('['));
    }
    for text in [
        "",
        "broker",
        "broker:1883",
        "http://broker",
        "mqtt://",
        "mqtt://:1883",
        "mqtt://[]",
        "mqtt://[zz::1]",
        "mqtt://[10.0.0.1]",
        "mqtt://b/path",
        "mqtt://b?x=1",
        "mqtt://b#x",
        "mqtt://b:0",
        "mqtt://b:",
        "mqtt://b:65536",
        "mqtt://a b",
    ] {
        assert!(text.parse::<Broker>().is_err(), "{text}");
    }
}

#[test]
fn a_service_has_its_base_before_every_path() {
    for (text, tls, url) in [
        ("http://b", false, "http://b/p"),
        ("https://b:8443/", true, "https://b:8443/p"),
        ("https://b/base/", true, "https://b/base/p"),
    ] {
        let base: HttpBase = text.parse().expect("a service");
        assert_eq!((base.tls, base.url("/p").as_str()), (tls, url));
    }
    for text in ["", "b", "/p", "ftp://b", "https://", "https://b?x=1", "https://b#x"] {
        assert!(text.parse::<HttpBase>().is_err(), "{text}");
    }
}

#[test]
fn a_password_in_a_url_is_refused_and_not_shown() {
    for text in ["mqtt://user:hunter2@b", "mqtts://hunter2@b:1"] {
        let why = wrong(&format!("[mqtt]\nurl = \"{text}\""));
        assert!(why.contains("settings of their own") && !why.contains("hunter2"), "{why}");
    }
    let why = "https://u:hunter2@b".parse::<HttpBase>().expect_err("refused");
    assert!(!why.contains("hunter2"), "{why}");
}

#[test]
fn an_error_about_a_url_does_not_show_it() {
    for (section, urls) in [
        (
            "[mqtt]\nurl",
            &[
                "mqtt://h:18:hunter2",
                "gate:hunter2@h",
                "mqtt:/u:hunter2@h",
                "wss://u:hunter2@h",
                "mqtt://u:hunter2#p@h",
                "mqtt://h/hunter2",
                "mqtt://h?p=hunter2",
                "mqtt://h hunter2",
            ][..],
        ),
        ("[http]\nurl", &["https://h/?key=hunter2", "https://h:hunter2", "hunter2"]),
        ("[http]\nurl = \"https://h\"\nproxy", &["http://p?p=hunter2", "http://p/hunter2"]),
    ] {
        for url in urls {
            let why = wrong(&format!("{section} = \"{url}\""));
            assert!(!why.contains("hunter2") && why.contains("it is not a "), "{why}");
        }
    }
}

#[test]
fn what_may_be_a_secret_is_not_shown() {
    let http = "[http]\nurl = \"https://h\"\n";
    let tls = "[mqtt]\nurl = \"mqtts://b\"\nclient_cert_file = \"/c\"\n";
    let pem = "-----BEGIN PRIVATE KEY-----\nhunter2=\nhunter2hunter2==\nHUNTER2=";
    for (text, told) in [
        (
            format!("{http}token_file = \"hunter2\""),
            "line 3: `http.token_file`: it must be the absolute path of a file",
        ),
        (
            format!("{tls}client_key_file = \"\"\"{pem}\"\"\""),
            "line 4: `mqtt.client_key_file`: it must be the absolute path of a file",
        ),
        (format!("{tls}client_key_file = \"\"\"{pem}"), "`mqtt.client_key_file`: "),
        (
            format!("{http}ca_file = \"hunter2\""),
            "line 3: `http.ca_file`: it must be an absolute path",
        ),
        (
            format!("{http}pending = \"/x?token=hunter2\""),
            "line 3: `http.pending`: it is not a path",
        ),
        (
            "[serial_number]\nsources = [\"command:x --password hunter2\"]".to_owned(),
            "line 2: `serial_number.sources`: `command:x` is not a source",
        ),
        (
            mqtt("password = \"hunter2\""),
            "`password_file`, the absolute path of a file that holds it?",
        ),
    ] {
        let why = wrong(&text);
        assert!(why.contains(told) && !why.to_lowercase().contains("hunter2"), "{why}");
    }
}

#[test]
fn an_empty_text_is_told_from_one_with_a_nul_character() {
    let told = |text: &str| wrong(&mqtt(&format!("username = \"{text}\"")));
    assert_eq!(told(""), "a.toml, line 3: `mqtt.username`: it is empty: leave it out instead");
    assert_eq!(told("a\\u0000b"), "a.toml, line 3: `mqtt.username`: it has a NUL character in it");
}

#[test]
fn the_arguments_of_a_command_can_be_left_out() {
    let text = "[serial_number]\nsources = [\"command:/bin/sn --password hunter2\", \"cpuinfo\"]";
    let (_, in_force) = load::parse_with_in_force(text, Path::new("a.toml")).expect("good");
    let shown = in_force.without_arguments().as_toml();
    assert!(shown.contains("\nsources = [\"command:/bin/sn ...\",\"cpuinfo\"]\n"), "{shown}");
}

#[test]
fn settings_that_need_each_other_are_asked_for() {
    assert_eq!(
        wrong(&mqtt("client_cert_file = \"/c\"")),
        "a.toml, line 3: `mqtt.client_cert_file`: it needs `client_key_file` beside it"
    );
    assert_eq!(
        wrong("[http]\nurl = \"https://b\"\nclient_key_file = \"/k\""),
        "a.toml, line 3: `http.client_key_file`: it needs `client_cert_file` beside it"
    );
    assert_eq!(
        wrong(&mqtt("password_file = \"/p\"")),
        "a.toml, line 3: `mqtt.password_file`: a password needs a `username` beside it"
    );
    assert_eq!(
        wrong("[mqtt]\nurl = \"mqtt://b\"\nca_file = \"/c\""),
        "a.toml, line 3: `mqtt.ca_file`: it is only used over TLS, which needs an mqtts:// url"
    );
    let full = "ca_file = \"/ca\"\nclient_cert_file = \"/c\"\nclient_key_file = \"/k\"\nserver_name = \"n\"";
    let tls = read(&mqtt(full)).mqtt.expect("a section").tls;
    let (ca_file, server_name) = (Some(PathBuf::from("/ca")), Some("n".to_owned()));
    assert_eq!(tls.trust, Trust::Authorities { ca_file, server_name });
    assert_eq!(tls.client.expect("a certificate").key.path(), Path::new("/k"));
}

#[test]
fn the_oldest_version_of_tls_is_1_2_unless_1_3_is_asked_for() {
    let min = |lines: &str| read(&mqtt(lines)).mqtt.expect("a section").tls.min_version;
    assert_eq!(min(""), TlsVersion::V1_2);
    assert_eq!(min("tls_min = \"1.2\""), TlsVersion::V1_2);
    assert_eq!(min("tls_min = \"1.3\""), TlsVersion::V1_3);
    let why = wrong(&mqtt("tls_min = \"1.1\""));
    assert!(why.contains("`mqtt.tls_min`: `1.1` is not a version"), "{why}");
    let plain = wrong("[http]\nurl = \"http://b\"\ntls_min = \"1.3\"");
    assert!(plain.contains("`http.tls_min`: it is only used over TLS"), "{plain}");
}

#[test]
fn checking_no_certificate_is_asked_for_and_with_credentials_confirmed() {
    let http = |lines: &str| format!("[http]\nurl = \"https://b\"\n{lines}\n");
    let (on, confirmed) = ("insecure = true", "insecure_with_credentials = true");
    let (user, token) = ("username = \"u\"", "token_file = \"/t\"");
    let client = "client_cert_file = \"/c\"\nclient_key_file = \"/k\"";

    assert_eq!(read(&mqtt(on)).mqtt.expect("a section").tls.trust, Trust::Anyone);
    assert_eq!(read(&http(on)).http.expect("a section").tls.trust, Trust::Anyone);
    assert_eq!(read(&mqtt("insecure = false")), read(&mqtt("")));
    assert_eq!(read(&format!("{}{}", mqtt(on), http(on))).insecure(), ["[mqtt]", "[http]"]);
    assert_eq!(read(&format!("{}{}", mqtt(""), http(""))).insecure(), [""; 0]);

    for credentials in [user, client] {
        let why = wrong(&mqtt(&format!("{credentials}\n{on}")));
        assert!(why.contains("`mqtt.insecure`: whoever answers"), "{why}");
        assert!(why.contains("`insecure_with_credentials = true`"), "{why}");
        let settings = read(&mqtt(&format!("{credentials}\n{on}\n{confirmed}")));
        assert_eq!(settings.insecure(), ["[mqtt]"]);
    }
    let why = wrong(&http(&format!("{token}\n{on}")));
    assert!(why.starts_with("a.toml, line 4: `http.insecure`: whoever answers"), "{why}");
    assert_eq!(read(&http(&format!("{token}\n{on}\n{confirmed}"))).insecure(), ["[http]"]);

    for (lines, says) in [
        (format!("{on}\n{confirmed}"), "there are no credentials to confirm it for"),
        (confirmed.to_owned(), "it is only used with `insecure = true`"),
        (format!("{on}\nca_file = \"/ca\""), "no certificate is checked: take one of the two away"),
    ] {
        assert!(wrong(&mqtt(&lines)).contains(says), "{lines}");
        assert!(wrong(&http(&lines)).contains(says), "{lines}");
    }
    assert!(wrong(&mqtt(&format!("{on}\nserver_name = \"n\""))).contains("take one of the two"));
    let plain = wrong(&format!("[mqtt]\nurl = \"mqtt://b\"\n{on}"));
    assert!(plain.contains("`mqtt.insecure`: it is only used over TLS"), "{plain}");
    let telling = format!("[billing]\nurl = \"https://b\"\n{on}\n");
    assert_eq!(read(&telling).insecure(), ["[billing]"]);
    assert!(wrong(&format!("{telling}{token}")).contains("`billing.insecure`: whoever answers"));
    let plain = wrong(&format!("[http]\nurl = \"http://b\"\n{on}"));
    assert!(plain.contains("`http.insecure`: it is only used over TLS"), "{plain}");
}

#[test]
fn alpn_names_protocols() {
    let alpn = |list: &str| mqtt(&format!("alpn = {list}"));
    assert_eq!(read(&alpn("[\"mqtt\", \"x\"]")).mqtt.expect("a section").alpn, ["mqtt", "x"]);
    assert_eq!(read(&alpn("[]")), read(&mqtt("")));
    assert!(wrong(&alpn("[\"\"]")).contains("line 3: `mqtt.alpn`: it is not the name"));
    assert!(wrong(&alpn(&format!("[\"{}\"]", "x".repeat(256)))).contains("1 to 255 bytes"));
    let plain = wrong("[mqtt]\nurl = \"mqtt://b\"\nalpn = [\"mqtt\"]");
    assert!(plain.contains("line 3: `mqtt.alpn`: it is only used over TLS"), "{plain}");
}

#[test]
fn a_proxy_is_a_host_and_a_port() {
    let http = |proxy: &str| format!("[http]\nurl = \"https://b\"\nproxy = \"{proxy}\"\n");
    for (text, shown) in [
        ("http://p:3128", "http://p:3128"),
        ("http://10.0.0.1:8080/", "http://10.0.0.1:8080"),
        ("http://p", "http://p:80"),
    ] {
        let proxy = read(&http(text)).http.expect("a section").proxy.expect("a proxy");
        assert_eq!(proxy.to_string(), shown);
    }
    for text in ["", "p:3128", "https://p", "socks5://p", "http://", "http://p/path", "http://p:0"]
    {
        let why = wrong(&http(text));
        assert!(why.starts_with("a.toml, line 3: `http.proxy`: "), "{why}");
        assert!(why.contains("http://proxy.example:3128"), "{why}");
    }
    let why = wrong(&http("http://user:hunter2@p:3128"));
    assert!(why.contains("cannot be used") && !why.contains("hunter2"), "{why}");
}

#[test]
fn whose_signatures_count() {
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    let inline = format!("[signature]\nrequired = true\nkeys = {{ \"2026-1\" = \"{x}\" }}\n");
    let settings = read(&inline).signature;
    assert!(settings.required);
    let keys = [("2026-1".to_owned(), x.parse().expect("a key"))].into_iter().collect();
    assert_eq!(settings.keys, keys);
    let table = format!("[signature]\nrequired = true\n[signature.keys]\n\"2026-1\" = \"{x}\"\n");
    assert_eq!(read(&table).signature, settings);
    let needs = "a.toml, line 2: `signature.required`: it needs `keys` beside it";
    assert!(wrong("[signature]\nrequired = true\n").starts_with(needs));
    assert!(wrong("[signature]\nrequired = true\nkeys = {}\n").starts_with(needs));
    for value in ["", "x", &x[1..], &format!("{x}="), &format!("{x}\\n"), &x.replace('_', "/")] {
        let why = wrong(&format!("[signature.keys]\nold = \"{x}\"\nnew = \"{value}\"\n"));
        let told =
            "a.toml, line 3: `signature.keys`: the value of `new` is not the unpadded base64url";
        assert!(why.starts_with(told), "{why}");
        assert!(value.is_empty() || value == "x" || !why.contains(value), "{why}");
    }
    let nameless = wrong(&format!("[signature.keys]\n\"\" = \"{x}\"\n"));
    assert!(nameless.starts_with("a.toml, line 2: `signature.keys`: a key without a name"));
    let twice = wrong(&format!("[signature.keys]\na = \"{x}\"\na = \"{x}\"\n"));
    assert!(twice.starts_with("a.toml, line 3: "), "{twice}");
    let unknown = wrong("[signature]\nrequire = true\n");
    assert!(unknown.starts_with("a.toml, line 2: `signature.require`: unknown field"), "{unknown}");
}

#[test]
fn topics_and_paths_are_filled_in() {
    let board: BoardName = "die-1".parse().expect("a name");
    let serial: SerialNumber = "S/1 u".parse().expect("a serial number");
    let values = Values {
        mac: "22:0D:CE:38:E7:15".parse().expect("a MAC"),
        serial_number: Some(&serial),
        id: None,
        model: Some("3516EV200"),
        board: &board,
    };
    let topics = read(&mqtt("")).mqtt.expect("a section").topics;
    let patch = topics.patch.fill(&values);
    assert_eq!(patch.as_deref(), Ok("intercoms/22:0D:CE:38:E7:15/patch"));
    assert_eq!(topics.board_patch.fill(&values).as_deref(), Ok("intercoms/by-board/die-1/patch"));

    let path = Template::path("/{model}/{serial_number}").expect("a path");
    assert_eq!(path.fill(&values).as_deref(), Ok("/3516EV200/S%2F1%20u"));
    let refused = Template::topic("a/{serial_number}").expect("a topic").fill(&values);
    assert!(refused.expect_err("a slash").to_string().contains("`S/1 u`"));
    let unknown = Template::topic("a/{id}").expect("a topic").fill(&values);
    assert_eq!(unknown.expect_err("no id").to_string(), "{id} has no value on this board");
}

#[test]
fn a_wrong_template_is_refused() {
    let topic = |text: &str| wrong(&mqtt(&format!("[mqtt.topics]\npatch = \"{text}\"")));
    assert!(topic("a/{mak}").contains("`{mak}` is not known: use {mac}"));
    assert!(topic("a/{mac").contains("without a `}`"));
    assert!(topic("a/mac}").contains("without a `{`"));
    for text in ["", "a/#", "a/+/b", "a/"] {
        assert!(topic(text).starts_with("a.toml, line 4: `mqtt.topics.patch`: "), "{text}");
    }
    for text in ["", "a", "/a b", "/a?b", "/a#b"] {
        assert!(Template::path(text).is_err(), "{text}");
    }
}

#[test]
fn the_panel_does_not_read_as_requests_what_it_says_itself() {
    let topics = |lines: &str| format!("[mqtt.topics]\n{lines}");
    for (lines, line, key) in [
        ("status = \"intercoms/{mac}/patch\"", 4, "status"),
        ("mac_who = \"x\"\npresence = \"intercoms/{mac}/patch/x\"", 5, "presence"),
        ("mac_here = \"intercoms/by-board/{board}/patch\"", 4, "mac_here"),
        ("board_patch = \"intercoms/by-board/{board}\"", 3, "status"),
    ] {
        let why = wrong(&mqtt(&topics(lines)));
        let place = format!("a.toml, line {line}: `mqtt.topics.{key}`: the panel would read");
        assert!(why.starts_with(&place), "{why}");
    }
    read(&mqtt(&topics("status = \"intercoms/{mac}/patches\"")));
    let unheard = topics("status = \"intercoms/{mac}/patch/x\"");
    read(&mqtt(&format!("mac_topics = false\n{unheard}")));
}

#[test]
fn a_credential_of_systemd_shows_its_access_list_as_the_groups_right() {
    let credentials = Some(Path::new("/run/credentials/intercom-agent.service"));
    let file = Path::new("/run/credentials/intercom-agent.service/token");
    for (mode, file, credentials, private) in [
        (0o440, file, credentials, true),
        (0o460, file, credentials, false),
        (0o444, file, credentials, false),
        (0o440, file, None, false),
        (0o440, Path::new("/etc/token"), credentials, false),
    ] {
        assert_eq!(is_private(mode, file, credentials), private, "{mode:o} {}", file.display());
    }
}

#[test]
fn a_secret_is_only_its_owners() {
    let sandbox = Sandbox::new();
    let secret = |mode, text: &str| {
        let path = sandbox.write_mode("/etc/password", text, mode);
        let read = SecretFile::new("/etc/password".into()).read(sandbox.root());
        std::fs::remove_file(path).expect("removed");
        read.map_err(|why| why.to_string())
    };
    assert_eq!(secret(0o600, "hunter2\n").expect("readable").expose(), "hunter2");
    assert_eq!(secret(0o400, " two words \r\n").expect("readable").expose(), " two words ");
    for mode in [0o640, 0o604, 0o620, 0o666] {
        let why = secret(mode, "hunter2").expect_err("others can use it");
        assert!(why.contains(&format!("mode {mode:04o}")), "{why}");
        assert!(why.contains("chmod 600 /etc/password") && !why.contains("hunter2"), "{why}");
    }
    assert_eq!(secret(0o600, "\u{feff}hunter2\r\n").expect("readable").expose(), "hunter2");
    assert!(secret(0o600, "h\0u\0").expect_err("UTF-16").contains("save it as UTF-8"));
    assert!(secret(0o600, "\n").expect_err("empty").contains("is empty"));
    assert!(secret(0o600, &"x".repeat(70_000)).expect_err("long").contains("longer"));
    let absent = |name: &str| {
        let read = SecretFile::new(name.into()).read(sandbox.root());
        read.expect_err("absent").to_string()
    };
    assert!(absent("/etc/absent").contains("/etc/absent cannot be read"));
    // What stands there may be the secret.
    for name in ["/hunter2", "/hunter2/hunter2="] {
        assert!(absent(name).contains("the secret file ... cannot be read"), "{}", absent(name));
    }
    let shown = format!("{:?}", secret(0o600, "hunter2"));
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn a_key_in_the_wrong_table_is_told_with_the_right_one() {
    let file = "it belongs before the first [table] of the file";
    for (text, told) in [
        (mqtt("log_level = \"debug\""), file),
        (mqtt("[mqtt.topics]\nlog_level = \"debug\""), file),
        (mqtt("poll_every = 9"), "it belongs in [http]"),
        ("url = \"mqtt://b\"".to_owned(), "it belongs in [mqtt] or in [http] or in [billing]"),
        ("[http]\nurl = \"http://b\"\nusername = \"u\"".to_owned(), "it belongs in [mqtt]"),
        (mqtt("environment_variable = \"x\""), "it belongs in [serial_number]"),
        (mqtt("[mqtt.http]\nurl = \"http://b\""), "it belongs as [http]"),
        ("[topics]\npatch = \"x\"".to_owned(), "it belongs as [mqtt.topics]"),
    ] {
        let why = wrong(&text);
        assert!(why.ends_with(&format!("unknown field here: {told}")), "{text}: {why}");
    }
}

#[test]
fn a_sandbox_has_its_own_configuration() {
    let sandbox = Sandbox::new();
    let path = sandbox.write(DEFAULT_PATH, "id = 7\n");
    assert_eq!(load(sandbox.root(), None).expect("valid").id, Some(7));
    std::fs::write(&path, "id = 7\nid = 8\n").expect("written");
    let why = load(sandbox.root(), None).expect_err("twice").to_string();
    assert!(why.starts_with(&format!("{}, line 2: ", path.display())), "{why}");
    std::fs::write(&path, b"id = 7 # \xff\n").expect("written");
    assert!(
        load(sandbox.root(), None).expect_err("not text").to_string().contains("cannot be read")
    );
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,60}") {
        let _ = parse(&text, Path::new("a.toml"));
    }

    #[test]
    fn no_value_makes_the_reader_panic(
        key in prop::sample::select(vec![
            "interface", "id", "models", "settle", "environment", "mqtt", "http.url", "mqtt.url",
            "serial_number.sources", "mqtt.topics.patch", "placeholder_macs", "nonsense",
        ]),
        value in prop_oneof!["-?[0-9]{1,25}", "\"[^\"\\\\\\pC]{0,20}\"", "\\[(\"[a-z:/{}@]{0,12}\",){0,3}\\]", "\\{\\}"],
        blank_lines in 0..3_usize,
    ) {
        let text = format!("{}{key} = {value}\n", "\n".repeat(blank_lines));
        if let Err(why) = parse(&text, Path::new("a.toml")) {
            let place = format!("a.toml, line {}: `{key}", blank_lines + 1);
            prop_assert!(why.to_string().starts_with(&place) || why.to_string().contains(": `mqtt"), "{}", why);
        }
    }

    #[test]
    fn a_template_is_shown_as_it_was_written(text in "[a-z/]{0,8}(\\{(mac|board|id)\\}[a-z/]{0,8}){0,3}[a-z]") {
        prop_assert_eq!(Template::topic(&text).expect("a topic").to_string(), text);
    }

    #[test]
    fn no_url_makes_the_readers_panic(text in "(mqtts?|https?)?(://)?[a-z@:/\\[\\]0-9?#.]{0,20}") {
        if let Ok(broker) = text.parse::<Broker>() {
            prop_assert_eq!(broker.to_string().parse::<Broker>(), Ok(broker));
        }
        let _ = text.parse::<HttpBase>();
    }
}
