//! Copies between the library and the broker until one of them ends.

use std::future::pending;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::select;

use super::MAX_PACKET;
use super::cutter::Cutter;
use super::socket::Socket;
use super::trace::Trace;
use super::way::Stream;
use crate::upstream::cause::{Cause, NetworkCause, PanelCause, TlsCause};

/// How much is read before it is written: each way waits for the slower end.
const BUFFER: usize = 4096;
/// How an alert of TLS begins (RFC 8446, section 5.1): a port for TLS may answer CONNECT with one. To
/// MQTT it would be a CONNECT packet, which no broker sends.
const TLS_ALERT: [u8; 2] = [0x15, 0x03];

/// Waits for the library on the socket, and copies until one end closes. `trace` says how the broker's
/// end has ended before the library finds its own closed.
pub(in crate::upstream::mqtt) async fn copy(socket: Socket, broker: Stream, trace: &Trace) {
    let library = match socket.accept().await {
        Ok(library) => library,
        Err(why) => return trace.ends(PanelCause::no_resources(why).into()),
    };
    let (from_broker, to_broker) = split(broker);
    let (from_library, to_library) = library.into_split();
    select! {
        () = up(from_library, to_broker, trace) => {}
        () = down(from_broker, to_library, trace) => {}
    }
}

async fn up(
    mut library: impl AsyncRead + Unpin,
    mut broker: impl AsyncWrite + Unpin,
    trace: &Trace,
) {
    let mut buffer = [0; BUFFER];
    while let Ok(length @ 1..) = library.read(&mut buffer).await {
        // TLS keeps what is not flushed.
        if broker.write_all(&buffer[..length]).await.is_err() || broker.flush().await.is_err() {
            // `down` still has to read what the broker has said, and how the connection ended.
            return pending().await;
        }
        trace.said();
    }
}

async fn down(
    mut broker: impl AsyncRead + Unpin,
    mut library: impl AsyncWrite + Unpin,
    trace: &Trace,
) {
    let mut cutter = Cutter::new(MAX_PACKET);
    let (mut buffer, mut out) = ([0; BUFFER], Vec::with_capacity(BUFFER));
    let mut is_first = true;
    loop {
        let length = match broker.read(&mut buffer).await {
            Ok(0) => return trace.ends(NetworkCause::Closed.into()),
            Ok(length) => length,
            Err(why) => return trace.ends(Cause::from(&why)),
        };
        if std::mem::take(&mut is_first) && buffer.starts_with(&TLS_ALERT) {
            return trace.ends(TlsCause::Spoken.into());
        }
        out.clear();
        cutter.pass(&buffer[..length], &mut out);
        trace.heard(cutter.is_in_packet());
        if library.write_all(&out).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;
    use tokio::net::UnixStream;
    use tokio::spawn;

    use super::*;
    use crate::upstream::mqtt::line::Socket;

    #[tokio::test]
    async fn what_the_broker_says_last_arrives_before_its_end_and_the_end_is_known_by_then() {
        let name = Socket::name().expect("a name");
        let socket = Socket::bind(&name).expect("a socket");
        let (mut broker, near) = duplex(64);
        let trace = Trace::new();
        let line = trace.clone();
        spawn(async move { copy(socket, Box::new(near), &line).await });
        let mut library = UnixStream::connect(&name).await.expect("a line");
        library.write_all(&[0xc0, 0]).await.expect("a ping");
        let mut ping = [0; 2];
        broker.read_exact(&mut ping).await.expect("it arrives");
        assert!(trace.take_end().is_none());
        broker.write_all(&[0x20, 2, 0, 5]).await.expect("an answer");
        drop(broker);
        let mut said = Vec::new();
        library.read_to_end(&mut said).await.expect("all of it");
        assert_eq!(said, [0x20, 2, 0, 5]);
        assert!(matches!(trace.take_end(), Some((Cause::Network(NetworkCause::Closed), _))));
    }

    #[tokio::test]
    async fn it_ends_with_the_library_and_does_not_take_that_for_the_brokers_end() {
        let name = Socket::name().expect("a name");
        let socket = Socket::bind(&name).expect("a socket");
        let (mut broker, near) = duplex(64);
        let trace = Trace::new();
        drop(UnixStream::connect(&name).await.expect("a line"));
        copy(socket, Box::new(near), &trace).await;
        assert_eq!(broker.read(&mut [0]).await.ok(), Some(0));
        assert!(trace.take_end().is_none());
    }
}
