//! The kernel's table of neighbours, `/proc/net/arp` of proc(5).

use std::net::Ipv4Addr;

use crate::contract::Mac;

/// `ARPHRD_ETHER` of `linux/if_arp.h`, as the table writes it.
const ETHERNET: &str = "0x1";

/// The IPv4 addresses that the table has for a MAC address on an interface, in its order. An entry
/// may be older than the neighbour is there.
pub(super) fn addresses_of(table: &str, interface: &str, mac: Mac) -> Vec<Ipv4Addr> {
    let entries = table.lines().filter_map(Entry::read);
    let same = entries.filter(|entry| entry.interface == interface && entry.mac == mac);
    same.map(|entry| entry.address).collect()
}

struct Entry<'t> {
    address: Ipv4Addr,
    mac: Mac,
    interface: &'t str,
}

impl<'t> Entry<'t> {
    /// `192.0.2.1        0x1         0x2         02:fc:00:00:00:05     *        eth0`; `None` for the
    /// heading, for links that are not Ethernet, and for a neighbour that never answered (all zeros).
    fn read(line: &'t str) -> Option<Self> {
        let mut fields = line.split_ascii_whitespace();
        let address = fields.next()?.parse().ok()?;
        let _ = fields.next().filter(|kind| *kind == ETHERNET)?;
        let _flags = fields.next()?;
        let mac = fields.next()?.parse().ok()?;
        let _mask = fields.next()?;
        let interface = fields.next()?;
        fields.next().is_none().then_some(Entry { address, mac, interface })
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
";

    fn mac() -> Mac {
        "22:0D:CE:38:E7:15".parse().expect("a MAC")
    }

    #[test]
    fn whole_entries_of_that_mac_on_that_interface_count_however_old() {
        let found = addresses_of(TABLE, "eth0", mac());
        assert_eq!(found, [Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 3)]);
        assert_eq!(addresses_of(TABLE, "eth1", mac()), [Ipv4Addr::new(192, 0, 2, 5)]);
        assert!(addresses_of("", "eth0", mac()).is_empty());
    }

    proptest! {
        #[test]
        fn no_table_makes_the_reader_panic(table in "(\\PC|\n| |0x1|192\\.0\\.2\\.1|eth0){0,40}") {
            let _ = addresses_of(&table, "eth0", mac());
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
            prop_assert_eq!(addresses_of(&table, "eth0", mac()), addresses);
        }
    }
}
