//! As much of MQTT 3.1.1 as a broker needs that has no good intentions.

use std::io::{self, Read};

/// One packet: the first byte, and what follows the length.
pub struct Packet {
    pub first: u8,
    pub body: Vec<u8>,
}

impl Packet {
    pub fn read(from: &mut impl Read) -> io::Result<Self> {
        let mut byte = [0];
        from.read_exact(&mut byte)?;
        let first = byte[0];
        let (mut length, mut shift) = (0, 0);
        loop {
            from.read_exact(&mut byte)?;
            length |= usize::from(byte[0] & 0x7f) << shift;
            shift += 7;
            if byte[0] & 0x80 == 0 {
                break;
            }
        }
        let mut body = vec![0; length];
        from.read_exact(&mut body)?;
        Ok(Packet { first, body })
    }

    /// The packet id at the beginning of a SUBSCRIBE or UNSUBSCRIBE.
    pub fn id(&self) -> [u8; 2] {
        [self.body[0], self.body[1]]
    }

    /// How many filters a SUBSCRIBE has.
    pub fn filters(&self) -> usize {
        let (mut at, mut count) = (2, 0);
        while at + 2 < self.body.len() {
            at += 3 + usize::from(u16::from_be_bytes([self.body[at], self.body[at + 1]]));
            count += 1;
        }
        count
    }

    /// The topic, the packet id and the payload of a PUBLISH with quality of service 1.
    pub fn publish(&self) -> (String, [u8; 2], &[u8]) {
        let length = usize::from(u16::from_be_bytes([self.body[0], self.body[1]]));
        let (topic, rest) = self.body[2..].split_at(length);
        (String::from_utf8_lossy(topic).into_owned(), [rest[0], rest[1]], &rest[2..])
    }
}

/// The head of a packet: its first byte and its length.
pub fn head(first: u8, mut length: usize) -> Vec<u8> {
    let mut head = vec![first];
    loop {
        let low = (length & 0x7f) as u8;
        length >>= 7;
        head.push(if length > 0 { low | 0x80 } else { low });
        if length == 0 {
            return head;
        }
    }
}

/// A PUBLISH with quality of service 1.
pub fn publish(topic: &str, id: u16, retained: bool, payload: &[u8]) -> Vec<u8> {
    let mut packet = head(0x32 | u8::from(retained), 2 + topic.len() + 2 + payload.len());
    packet.extend((topic.len() as u16).to_be_bytes());
    packet.extend(topic.as_bytes());
    packet.extend(id.max(1).to_be_bytes());
    packet.extend(payload);
    packet
}
