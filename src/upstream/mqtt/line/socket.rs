//! The Unix socket by which the library reaches the line: for this process alone, and once.

use std::io;
use std::process;

use log::warn;
use tokio::net::{UnixListener, UnixStream};

use crate::random::{self, NoRandomNumbers};

/// A socket in the abstract namespace: it leaves no file, and vanishes with its last user.
pub(in crate::upstream::mqtt) struct Socket {
    listener: UnixListener,
}

impl Socket {
    /// A name that nobody else uses.
    pub(in crate::upstream::mqtt) fn name() -> Result<String, NoRandomNumbers> {
        // The zero byte means the abstract namespace.
        Ok(format!("\0intercom-agent-{:016x}", random::number()?))
    }

    pub(in crate::upstream::mqtt) fn bind(name: &str) -> io::Result<Self> {
        Ok(Socket { listener: UnixListener::bind(name)? })
    }

    /// The library's connection. Whoever may list sockets can find the name and connect to it, and is
    /// turned away.
    pub(super) async fn accept(self) -> io::Result<UnixStream> {
        loop {
            let (stream, _) = self.listener.accept().await?;
            match stream.peer_cred()?.pid() {
                Some(pid) if u32::try_from(pid) == Ok(process::id()) => return Ok(stream),
                pid => {
                    warn!("MQTT: process {pid:?} connects to a socket of this one and is refused")
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::env;
    use std::io::Read;
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixStream as Blocking};
    use std::process::Command;

    use tokio::io::AsyncReadExt;
    use tokio::spawn;

    use super::*;

    const NAME: &str = "INTERCOM_TEST_SOCKET";
    const STRANGER: &str = "upstream::mqtt::line::socket::tests::a_stranger_is_turned_away";

    /// The other process of the test below.
    #[test]
    #[ignore = "the test below starts it"]
    fn a_stranger_is_turned_away() {
        let name = env::var(NAME).expect("the name of a socket");
        let address = SocketAddr::from_abstract_name(name).expect("an address");
        let mut stream = Blocking::connect_addr(&address).expect("it is found");
        assert_eq!(stream.read(&mut [0]).ok(), Some(0), "it is closed");
    }

    #[tokio::test]
    async fn only_this_process_is_accepted_and_only_once() {
        let name = Socket::name().expect("a name");
        let socket = Socket::bind(&name).expect("a socket");
        let accepted = spawn(socket.accept());
        let mut stranger = tokio::process::Command::from({
            let mut stranger = Command::new(env::current_exe().expect("this test"));
            stranger.args(["--exact", STRANGER, "--ignored"]).env(NAME, &name[1..]);
            stranger
        });
        let stranger = stranger.output().await.expect("it runs");
        let said = String::from_utf8_lossy(&stranger.stdout);
        assert!(stranger.status.success() && said.contains("1 passed"), "{said}");
        let mut own = UnixStream::connect(&name).await.expect("it still listens");
        drop(accepted.await.expect("it ends").expect("it accepts"));
        assert_eq!(own.read(&mut [0]).await.ok(), Some(0));
        assert!(UnixStream::connect(&name).await.is_err(), "it no longer listens");
    }
}
