//! Cuts packets that are too large, so that the library delivers what is left and reads on.
//!
//! A packet that is cut keeps its first byte, the topic and the packet ID. So the message is rejected
//! and acknowledged as any other, and nothing behind it is lost.

/// The longest fixed header: the first byte, and four bytes of the remaining length (MQTT 3.1.1, section
/// 2.2).
const MAX_HEADER: usize = 5;
/// A PINGRESP packet (section 3.13).
const PINGRESP: [u8; 2] = [0xd0, 0];
/// How many bytes are dropped before the library is told that the broker is alive.
const ALIVE_EVERY: usize = 16 * 1024;

/// Cuts each packet of a stream whose remaining length is larger than a limit.
#[derive(Debug)]
pub struct Cutter {
    limit: usize,
    at: At,
}

/// Where in the stream it is.
#[derive(Debug)]
enum At {
    /// In a fixed header, of which so many bytes have come.
    Header([u8; MAX_HEADER], usize),
    /// In a packet, of which so many bytes are still to be passed on, and so many dropped after that.
    Packet { pass: usize, drop: usize },
    /// Behind what is no fixed header. The library finds out by itself.
    NotMqtt,
}

const START: At = At::Header([0; MAX_HEADER], 0);

impl Cutter {
    /// Cuts packets to this remaining length, in bytes.
    pub fn new(limit: usize) -> Self {
        Cutter { limit, at: START }
    }

    /// Whether a packet has begun to come and has not ended.
    pub fn is_in_packet(&self) -> bool {
        !matches!(self.at, At::Header(_, 0))
    }

    /// Passes on what the broker has sent next. `out` grows by at most `bytes`, a fixed header and a
    /// PINGRESP for every 16 KiB.
    pub fn pass(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) {
        while let [first, rest @ ..] = bytes {
            match &mut self.at {
                At::Header(header, length) => {
                    header[*length] = *first;
                    *length += 1;
                    bytes = rest;
                    let header = &header[..*length];
                    if let Some(next) = after(header, self.limit, out) {
                        self.at = next;
                    }
                }
                At::Packet { pass: 0, drop } => {
                    let (dropped, left) = bytes.split_at(bytes.len().min(*drop));
                    let before = *drop;
                    *drop -= dropped.len();
                    // The broker's own answer to a ping waits behind this packet.
                    for _ in *drop / ALIVE_EVERY..before / ALIVE_EVERY {
                        out.extend(PINGRESP);
                    }
                    bytes = left;
                    if *drop == 0 {
                        self.at = START;
                    }
                }
                At::Packet { pass, drop } => {
                    let (passed, left) = bytes.split_at(bytes.len().min(*pass));
                    out.extend_from_slice(passed);
                    *pass -= passed.len();
                    bytes = left;
                    if *pass == 0 && *drop == 0 {
                        self.at = START;
                    }
                }
                At::NotMqtt => {
                    out.extend_from_slice(bytes);
                    return;
                }
            }
        }
    }
}

/// Passes on a fixed header once it is complete; what follows it then.
fn after(header: &[u8], limit: usize, out: &mut Vec<u8>) -> Option<At> {
    let [first, length @ ..] = header else { return None };
    if length.last().is_none_or(|last| last & 0x80 != 0) {
        if header.len() < MAX_HEADER {
            return None;
        }
        out.extend_from_slice(header);
        return Some(At::NotMqtt);
    }
    let remaining = length.iter().rev().fold(0, |sum, byte| sum << 7 | usize::from(byte & 0x7f));
    if remaining <= limit {
        out.extend_from_slice(header);
    } else {
        out.push(*first);
        write_length(limit, out);
    }
    let pass = remaining.min(limit);
    Some(match remaining {
        0 => START,
        _ => At::Packet { pass, drop: remaining - pass },
    })
}

fn write_length(mut length: usize, out: &mut Vec<u8>) {
    while length > 0x7f {
        out.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    const LIMIT: usize = 300;

    fn packet(first: u8, body: &[u8]) -> Vec<u8> {
        let mut packet = vec![first];
        write_length(body.len(), &mut packet);
        packet.extend_from_slice(body);
        packet
    }

    fn cut(pieces: &[&[u8]]) -> Vec<u8> {
        let (mut cutter, mut out) = (Cutter::new(LIMIT), Vec::new());
        pieces.iter().for_each(|piece| cutter.pass(piece, &mut out));
        out
    }

    #[test]
    fn a_packet_of_the_limit_passes_and_a_larger_one_loses_its_end() {
        let body: Vec<u8> = (0..=u8::MAX).cycle().take(LIMIT + 1).collect();
        let whole = packet(0x32, &body[..LIMIT]);
        assert_eq!(cut(&[&whole]), whole);
        let (larger, next) = (packet(0x32, &body), packet(0x40, &[0, 1]));
        assert_eq!(cut(&[&larger, &next]), [whole, next].concat());
    }

    #[test]
    fn a_packet_has_not_ended_before_its_dropped_end_has_come() {
        let (mut cutter, mut out) = (Cutter::new(LIMIT), Vec::new());
        assert!(!cutter.is_in_packet());
        let larger = packet(0x32, &[7; LIMIT + 2]);
        let (last, before) = larger.split_last().expect("bytes");
        for byte in before {
            cutter.pass(&[*byte], &mut out);
            assert!(cutter.is_in_packet());
        }
        cutter.pass(&[*last], &mut out);
        assert!(!cutter.is_in_packet());
    }

    #[test]
    fn the_library_hears_that_the_broker_is_alive_while_a_packet_is_dropped() {
        let larger = packet(0x32, &vec![7; LIMIT + 3 * ALIVE_EVERY]);
        let out = cut(&[&larger]);
        let whole = packet(0x32, &[7; LIMIT]);
        assert_eq!(out, [&whole[..], &PINGRESP, &PINGRESP, &PINGRESP].concat());
    }

    #[test]
    fn what_is_no_fixed_header_is_the_librarys_to_judge() {
        let stream = [&[0x30, 0xff, 0xff, 0xff, 0xff][..], &[1; 1000]].concat();
        assert_eq!(cut(&[&stream]), stream);
    }

    proptest! {
        #[test]
        fn packets_up_to_the_limit_pass_byte_for_byte(
            packets in vec((any::<u8>(), vec(any::<u8>(), 0..=LIMIT)), 0..8),
        ) {
            let stream: Vec<u8> =
                packets.iter().flat_map(|(first, body)| packet(*first, body)).collect();
            prop_assert_eq!(cut(&[&stream]), stream);
        }

        #[test]
        fn packets_of_any_size_arrive_in_order_each_with_its_beginning(
            packets in vec((any::<u8>(), vec(any::<u8>(), 0..3 * LIMIT)), 0..8),
        ) {
            let all = |limit: usize| -> Vec<u8> {
                let packets = packets.iter();
                packets.flat_map(|(first, body)| packet(*first, &body[..body.len().min(limit)])).collect()
            };
            prop_assert_eq!(cut(&[&all(usize::MAX)]), all(LIMIT));
        }

        #[test]
        fn any_split_of_the_bytes_gives_the_same(
            stream in vec(any::<u8>(), 0..4 * LIMIT), at in any::<prop::sample::Index>(),
        ) {
            let (front, back) = stream.split_at(at.index(stream.len() + 1));
            let single: Vec<&[u8]> = stream.chunks(1).collect();
            let whole = cut(&[&stream]);
            prop_assert_eq!(&cut(&[front, back]), &whole);
            prop_assert_eq!(cut(&single), whole);
        }
    }
}
