//! Nodes of NATS with the shipped settings.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::node::{Node, Ports};
use crate::shipped::{Kind, NATS_USERS, from_readme, read};

/// The nodes in the shipped settings, as the certificates have them.
const NAMES: &str = "nats-1.example nats-2.example nats-3.example";

/// A node with its files there.
pub(crate) fn node(settings: &str, ports: Ports, dir: &Path) -> Node {
    let own = dir.display().to_string();
    let settings = settings
        .replace("/etc/nats", &own)
        .replace("/var/lib/nats", &format!("{own}/jetstream"))
        .replace("0.0.0.0:8883", &format!("127.0.0.1:{}", ports.mqtt))
        .replace("127.0.0.1:4222", &format!("127.0.0.1:{}", ports.native))
        .replace("127.0.0.1:8222", &format!("127.0.0.1:{}", ports.monitoring));
    Node::new("nats-server", ports, dir.to_owned(), &settings)
}

/// Three of them, the first one with its files there, and the others with theirs below.
pub(crate) fn cluster(settings: &str, dir: &Path) -> Vec<Node> {
    certify_nodes(&dir.join("certs"));
    let replicas = from_readme("    stream_replicas: 3\n");
    let settings = settings.replacen("mqtt {\n", &format!("mqtt {{\n{replicas}"), 1);
    let settings = format!("{settings}{}", from_readme("    include \"cluster.conf\"\n"));

    let ports: [Ports; 3] = std::array::from_fn(|_| Ports::new());
    let mut cluster = read(Kind::NatsCluster, "cluster.conf");
    for (name, ports) in NAMES.split(' ').zip(&ports) {
        cluster = cluster.replace(&format!("{name}:6222"), &format!("localhost:{}", ports.routes));
    }
    let nodes = (1..).zip(ports).map(|(number, ports)| {
        let own = if number == 1 { dir.to_owned() } else { dir.join(format!("node-{number}")) };
        if number != 1 {
            copy(&dir.join("certs"), &own.join("certs"));
            copy(&dir.join(NATS_USERS), &own.join(NATS_USERS));
        }
        let cluster = cluster
            .replace("/etc/nats", &own.display().to_string())
            .replace("0.0.0.0:6222", &format!("127.0.0.1:{}", ports.routes));
        fs::write(own.join("cluster.conf"), cluster).expect("written");
        let name = format!("server_name: node-{number}");
        node(&settings.replace("server_name: intercoms", &name), ports, &own)
    });
    nodes.collect()
}

/// Makes the certificates of the nodes there by the commands of the README.
fn certify_nodes(certs: &Path) {
    fs::create_dir_all(certs).expect("a directory");
    let readme = read(Kind::NatsCluster, "README.md");
    let from = readme.find("    openssl req").expect("the commands");
    let commands: Vec<&str> =
        readme[from..].lines().take_while(|line| line.starts_with("    ")).collect();
    let commands = commands.join("\n");
    assert!(commands.contains(NAMES), "{commands}");
    let mut shell = Command::new("sh");
    shell.args(["-ec", &commands.replace(NAMES, "localhost")]).current_dir(certs);
    let done = shell.output().expect("sh runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    for ending in ["pem", "key"] {
        let file = |name: &str| certs.join(name).with_extension(ending);
        fs::rename(file("localhost"), file("node")).expect("renamed");
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().expect("a directory")).expect("made");
    let status = Command::new("cp").arg("-a").args([from, to]).status();
    assert!(status.expect("cp runs").success(), "{} cannot be copied", from.display());
}
