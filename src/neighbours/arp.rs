//! ARP packets for IPv4 over Ethernet, RFC 826 and RFC 5227.

use std::net::Ipv4Addr;

use crate::contract::Mac;

/// The length of one; Ethernet pads a received one.
pub(super) const LENGTH: usize = 28;

/// Ethernet, IPv4, and the lengths of their addresses.
const HEAD: [u8; 6] = [0, 1, 8, 0, 6, 4];

/// A probe, "who has `asked`?", that changes nobody's table: its sender has no IP address.
pub(super) fn probe(sender: Mac, asked: Ipv4Addr) -> [u8; LENGTH] {
    let mut packet = [0; LENGTH];
    packet[..6].copy_from_slice(&HEAD);
    // A request.
    packet[7] = 1;
    packet[8..14].copy_from_slice(&sender.octets());
    packet[24..].copy_from_slice(&asked.octets());
    packet
}

/// Who sent a packet; `None` if it is not a whole ARP packet, or nobody's.
pub(super) fn sender(packet: &[u8]) -> Option<Mac> {
    let packet: &[u8; LENGTH] = packet.first_chunk()?;
    let rest = packet.strip_prefix(&HEAD)?;
    // A request and a reply say it alike: whoever sends is there.
    let octets: &[u8; 6] = rest.get(2..)?.first_chunk()?;
    Mac::try_from(*octets).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MAC: &str = "22:0D:CE:38:E7:15";

    #[test]
    fn a_probe_asks_everybody_and_claims_no_address() {
        let packet = probe(MAC.parse().expect("a MAC"), Ipv4Addr::new(192, 0, 2, 7));
        let hex: String = packet.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "0001080006040001220dce38e71500000000000000000000c0000207");
    }

    #[test]
    fn padding_does_not_matter_and_anything_else_does() {
        let mac: Mac = MAC.parse().expect("a MAC");
        let packet = probe(mac, Ipv4Addr::LOCALHOST);
        let padded = [packet.as_slice(), &[0; 18]].concat();
        assert_eq!(sender(&padded), Some(mac));
        assert_eq!(sender(&packet[..LENGTH - 1]), None);
        for at in 0..HEAD.len() {
            let mut other = packet;
            other[at] ^= 1;
            assert_eq!(sender(&other), None, "byte {at}");
        }
    }

    proptest! {
        #[test]
        fn no_packet_makes_the_reader_panic(packet in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = sender(&packet);
        }

        #[test]
        fn whoever_asks_is_the_sender(octets in any::<[u8; 6]>(), asked in any::<[u8; 4]>()) {
            if let Ok(mac) = Mac::try_from(octets) {
                prop_assert_eq!(sender(&probe(mac, asked.into())), Some(mac));
            }
        }
    }
}
