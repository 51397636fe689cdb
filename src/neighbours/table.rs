//! The kernel's ARP table, `/proc/net/arp` of proc(5).

use std::net::Ipv4Addr;

use intercom_wire::Mac;

/// `ARPHRD_ETHER` of `linux/if_arp.h`, as the table shows it.
const ETHERNET: &str = "0x1";
/// `ATF_COM` of arp(7): the address is known, from an answer or from an administrator.
const COMPLETE: u32 = 0x2;
/// `ATF_PERM`: an administrator has entered it, and the kernel never asks.
const PERMANENT: u32 = 0x4;

/// The table's entries for an interface, in its order.
pub(super) fn entries_of(table: &str, interface: &str) -> Vec<Entry> {
    let lines = table.lines().filter_map(Entry::read);
    lines.filter(|(on, _)| *on == interface).map(|(_, entry)| entry).collect()
}

/// Where the kernel has met a neighbour, perhaps long ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) address: Ipv4Addr,
    pub(super) mac: Mac,
    flags: u32,
}

impl Entry {
    /// Whether the MAC address is valid. If not, it is a remainder of an earlier entry.
    pub(super) fn is_complete(self) -> bool {
        self.flags & COMPLETE != 0
    }

    /// Whether an administrator has entered it.
    pub(super) fn is_permanent(self) -> bool {
        self.flags & PERMANENT != 0
    }

    /// One line, with its interface:
    /// `192.0.2.1        0x1         0x2         02:fc:00:00:00:05     *        eth0`; `None` for the
    /// heading, for links that are not Ethernet, and for a neighbour that never answered (all zeros).
    fn read(line: &str) -> Option<(&str, Self)> {
        let mut fields = line.split_ascii_whitespace();
        let address = fields.next()?.parse().ok()?;
        let _ = fields.next().filter(|kind| *kind == ETHERNET)?;
        let flags = u32::from_str_radix(fields.next()?.strip_prefix("0x")?, 16).ok()?;
        let mac = fields.next()?.parse().ok()?;
        let _mask = fields.next()?;
        let interface = fields.next()?;
        fields.next().is_none().then_some((interface, Entry { address, mac, flags }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TABLE: &str = "\
IP address       HW type     Flags       HW address            Mask     Device
192.0.2.1        0x1         0x2         22:0d:ce:38:e7:15     *        eth0
192.0.2.2        0x1         0x0         00:00:00:00:00:00     *        eth0
192.0.2.3        0x1         0x0         22:0d:ce:38:e7:15     *        eth0
192.0.2.4        0x1         0x2         aa:bb:cc:dd:ee:ff     *        eth0
192.0.2.5        0x1         0x2         22:0d:ce:38:e7:15     *        eth1
192.0.2.6        0x200       0x2         22:0d:ce:38:e7:15     *        eth0
192.0.2.7        0x1         0x2         22:0d:ce:38:e7:15     *        eth0 more
192.0.2.8        0x1         0x2         22:0d:ce:38:e7:15     *
192.0.2.256      0x1         0x2         22:0d:ce:38:e7:15     *        eth0
192.0.2.9        0x1         2           22:0d:ce:38:e7:15     *        eth0
192.0.2.10       0x1         0x6         22:0d:ce:38:e7:15     *        eth0
";

    fn mac() -> Mac {
        "22:0D:CE:38:E7:15".parse().expect("a MAC")
    }

    fn addresses_of(table: &str, interface: &str) -> Vec<Ipv4Addr> {
        let same = entries_of(table, interface).into_iter().filter(|entry| entry.mac == mac());
        same.map(|entry| entry.address).collect()
    }

    #[test]
    fn complete_lines_of_that_mac_and_interface_are_read() {
        let found = addresses_of(TABLE, "eth0");
        assert_eq!(found, [1, 3, 10].map(|last| Ipv4Addr::new(192, 0, 2, last)));
        assert_eq!(addresses_of(TABLE, "eth1"), [Ipv4Addr::new(192, 0, 2, 5)]);
        assert!(addresses_of("", "eth0").is_empty());
    }

    #[test]
    fn the_flags_say_what_is_valid_and_what_was_entered_by_hand() {
        let flags = |entry: Entry| (entry.is_complete(), entry.is_permanent());
        let found: Vec<_> = entries_of(TABLE, "eth0").into_iter().map(flags).collect();
        assert_eq!(found, [(true, false), (false, false), (true, false), (true, true)]);
    }

    proptest! {
        #[test]
        fn no_table_makes_the_reader_panic(table in "(\\PC|\n| |0x1|0x|192\\.0\\.2\\.1|eth0){0,40}") {
            let _ = entries_of(&table, "eth0");
        }

        #[test]
        fn every_entry_that_the_kernel_writes_is_read(
            addresses in prop::collection::vec(any::<[u8; 4]>().prop_map(Ipv4Addr::from), 0..5),
            flags in any::<u8>(),
        ) {
            let text = mac().to_string().to_lowercase();
            let line = |address: &Ipv4Addr| {
                format!("{address:<16} 0x{:<10x}0x{flags:<10x}{text}     *        eth0\n", 1)
            };
            let table: String = addresses.iter().map(line).collect();
            let (mac, flags) = (mac(), flags.into());
            let entry = |address| Entry { address, mac, flags };
            let expected: Vec<_> = addresses.into_iter().map(entry).collect();
            prop_assert_eq!(entries_of(&table, "eth0"), expected);
        }
    }
}
