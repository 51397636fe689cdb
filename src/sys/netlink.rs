//! Messages of the kernel's rtnetlink(7), as bytes: what `nix` has no types for.

use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, send,
    socket,
};

/// More than one message of the kinds that are read here; what is longer is cut off.
pub(super) const BUFFER: usize = 4096;
/// `struct nlmsghdr`: length (4 bytes), type (2), flags (2), sequence number (4), port (4).
const HEADER: usize = 16;
/// `struct rtattr`: length (2), type (2).
const ATTRIBUTE: usize = 4;

/// One message without its header.
#[derive(Debug)]
pub(super) struct Message<'b> {
    pub(super) kind: u16,
    pub(super) body: &'b [u8],
}

/// A socket that also hears of what happens in these groups (`RTMGRP_…`).
pub(super) fn open(groups: libc::c_int, flags: SockFlag) -> nix::Result<OwnedFd> {
    let protocol = SockProtocol::NetlinkRoute;
    let flags = flags | SockFlag::SOCK_CLOEXEC;
    let socket = socket(AddressFamily::Netlink, SockType::Raw, flags, protocol)?;
    bind(socket.as_raw_fd(), &NetlinkAddr::new(0, groups as u32))?;
    Ok(socket)
}

/// Sends the kernel a request, which it answers before this returns.
pub(super) fn request(socket: &OwnedFd, kind: u16, body: &[u8]) -> nix::Result<()> {
    let length = (HEADER + body.len()) as u32;
    let mut message = length.to_ne_bytes().to_vec();
    message.extend(kind.to_ne_bytes());
    message.extend((libc::NLM_F_REQUEST as u16).to_ne_bytes());
    message.extend([0; 8]);
    message.extend(body);
    send(socket.as_raw_fd(), &message, MsgFlags::empty()).map(drop)
}

/// What has come, as [`messages`] reads it.
pub(super) fn receive<'b>(socket: &OwnedFd, buffer: &'b mut [u8; BUFFER]) -> nix::Result<&'b [u8]> {
    let length = recv(socket.as_raw_fd(), buffer, MsgFlags::empty())?;
    Ok(buffer.get(..length).unwrap_or_default())
}

/// The messages in it; the last one may be cut off.
pub(super) fn messages(mut bytes: &[u8]) -> impl Iterator<Item = Message<'_>> {
    std::iter::from_fn(move || {
        let length = u32::from_ne_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
        let kind = u16::from_ne_bytes(bytes.get(4..6)?.try_into().ok()?);
        let body = bytes.get(HEADER..length.min(bytes.len()))?;
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(Message { kind, body })
    })
}

/// The value of an attribute, of those that begin at `at` in a message.
pub(super) fn attribute(body: &[u8], at: usize, wanted: u16) -> Option<&[u8]> {
    let mut bytes = body.get(at..)?;
    loop {
        let length = usize::from(u16::from_ne_bytes(bytes.get(..2)?.try_into().ok()?));
        let kind = u16::from_ne_bytes(bytes.get(2..4)?.try_into().ok()?);
        let value = bytes.get(ATTRIBUTE..length)?;
        if kind == wanted {
            return Some(value);
        }
        bytes = bytes.get(length.next_multiple_of(4)..)?;
    }
}

/// One attribute; its value is a multiple of four bytes long.
pub(super) fn push_attribute(body: &mut Vec<u8>, kind: u16, value: &[u8]) {
    body.extend(((ATTRIBUTE + value.len()) as u16).to_ne_bytes());
    body.extend(kind.to_ne_bytes());
    body.extend(value);
}

/// What an `NLMSG_ERROR` says.
pub(super) fn error(body: &[u8]) -> Errno {
    let code = body.first_chunk().map_or(0, |code| i32::from_ne_bytes(*code));
    Errno::from_raw(-code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            for message in messages(&bytes) {
                let _ = (attribute(message.body, 12, 4), error(message.body));
            }
        }

        #[test]
        fn an_attribute_is_found_behind_others(kinds in prop::collection::vec(1..9_u16, 1..5)) {
            let mut body = vec![0; 12];
            for kind in &kinds {
                push_attribute(&mut body, *kind, &u32::from(*kind).to_ne_bytes());
            }
            for kind in 1..9 {
                let expected = kinds.contains(&kind).then(|| u32::from(kind).to_ne_bytes());
                prop_assert_eq!(attribute(&body, 12, kind), expected.as_ref().map(|v| &v[..]));
            }
        }
    }
}
