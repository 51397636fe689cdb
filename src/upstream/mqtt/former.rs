//! The MAC addresses whose topics the broker's persistent session may still have.

use intercom_wire::Mac;

/// The ones that this board had on earlier connections.
#[derive(Debug, Default)]
pub(super) struct FormerMacs(Vec<Mac>);

impl FormerMacs {
    /// The board has these addresses now, and no others. Gives back those that it has left since this was
    /// called last.
    pub(super) fn left_for(&mut self, carried: &[Mac]) -> Vec<Mac> {
        let mut left = std::mem::replace(&mut self.0, carried.to_vec());
        left.retain(|mac| !carried.contains(mac));
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_left_once_when_the_board_no_longer_has_it() {
        let [old, new] =
            ["AA:BB:CC:DD:EE:01", "AA:BB:CC:DD:EE:02"].map(|mac| mac.parse().expect("a MAC"));
        let mut former = FormerMacs::default();
        assert_eq!(former.left_for(&[old]), []);
        assert_eq!(former.left_for(&[new, old]), [], "in mid-change");
        assert_eq!(former.left_for(&[new]), [old]);
        assert_eq!(former.left_for(&[new]), []);
    }
}
