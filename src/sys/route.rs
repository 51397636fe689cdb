//! The kernel's routing decision, by the `RTM_GETROUTE` of rtnetlink(7).

use std::net::IpAddr;

use nix::errno::Errno;
use nix::libc;
use nix::net::if_::if_indextoname;
use nix::sys::socket::SockFlag;

use super::netlink;

/// `struct rtmsg`: the family and the lengths of the addresses, in bits; the rest is not asked for.
const RTMSG: usize = 12;

/// The interface by which packets to an address leave, those with this source address where one is
/// given.
///
/// # Errors
/// `ENETUNREACH` when no route leads there; otherwise as `socket(2)`, `send(2)` and `recv(2)`.
pub fn outgoing_interface(peer: IpAddr, source: Option<IpAddr>) -> nix::Result<String> {
    let (family, address) = bytes(peer);
    let source = source.map(bytes).filter(|(of, _)| *of == family).map(|(_, source)| source);
    let bits = |address: &Vec<u8>| 8 * address.len() as u8;
    let mut body = vec![family as u8, bits(&address), source.as_ref().map_or(0, bits)];
    body.resize(RTMSG, 0);
    netlink::push_attribute(&mut body, libc::RTA_DST, &address);
    if let Some(source) = source {
        netlink::push_attribute(&mut body, libc::RTA_SRC, &source);
    }
    let socket = netlink::open(0, SockFlag::empty())?;
    netlink::request(&socket, libc::RTM_GETROUTE, &body)?;
    let mut buffer = [0; netlink::BUFFER];
    let received = netlink::receive(&socket, &mut buffer)?;
    let answer = netlink::messages(received).next().ok_or(Errno::EBADMSG)?;
    if i32::from(answer.kind) == libc::NLMSG_ERROR {
        return Err(netlink::error(answer.body));
    }
    let index = netlink::attribute(answer.body, RTMSG, libc::RTA_OIF);
    let index = index.and_then(|index| index.try_into().ok()).ok_or(Errno::ENETUNREACH)?;
    let name = if_indextoname(u32::from_ne_bytes(index))?;
    name.into_string().map_err(|_| Errno::EINVAL)
}

fn bytes(address: IpAddr) -> (libc::c_int, Vec<u8>) {
    match address {
        IpAddr::V4(address) => (libc::AF_INET, address.octets().to_vec()),
        IpAddr::V6(address) => (libc::AF_INET6, address.octets().to_vec()),
    }
}
