//! The SoC's die ID: unique, immutable, and what names a board.

use std::fmt;
use std::fs;
use std::io;

use intercom_wire::{BoardName, SerialNumber};
use serde::Serialize;

use super::Known;
use crate::root::Root;
use crate::sys::physical_memory::read_registers;

const DEVICE: &str = "/dev/mem";
/// What stands for the registers of a sandboxed board: the die ID as text.
const SANDBOX_FILE: &str = "/dev/die-id";

/// The SoCs that have the six words at these addresses.
const SOCS: [&str; 4] = [
    "hisilicon,hi3516ev200",
    "hisilicon,hi3516ev300",
    "hisilicon,hi3518ev300",
    "hisilicon,hi3516dv200",
];
const PAGE: u32 = 0x1202_0000;
/// From the highest down: the order in which the words are written out.
const ADDRESSES: [u32; 6] =
    [0x1202_0414, 0x1202_0410, 0x1202_040c, 0x1202_0408, 0x1202_0404, 0x1202_0400];

/// 1 to 48 hexadecimal digits in lower case, without the zeros at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct DieId(String);

impl DieId {
    /// The ID that six words spell; none when they are all zeros or all ones, which is what an
    /// unburnt or absent register reads as.
    pub fn from_words(words: &[u32]) -> Option<Self> {
        let same = |word: u32| words.iter().all(|found| *found == word);
        if same(0) || same(u32::MAX) {
            return None;
        }
        let digits: String = words.iter().map(|word| format!("{word:08x}")).collect();
        Some(DieId(digits.trim_end_matches('0').to_owned()))
    }

    fn from_text(text: &str) -> Option<Self> {
        let digits = text.trim_end_matches('0').to_ascii_lowercase();
        let hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        ((1..=48).contains(&digits.len()) && hex).then_some(DieId(digits))
    }

    /// The name of the board that has it.
    pub fn board_name(&self) -> Option<BoardName> {
        format!("die-{}", self.0).parse().ok()
    }

    /// The die ID as a serial number, for who has configured it as one.
    pub fn serial_number(&self) -> Option<SerialNumber> {
        self.0.parse().ok()
    }
}

impl fmt::Display for DieId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads the die ID, if the device tree says that this SoC has one; `compatible` are its entries.
///
/// On any other machine `/dev/mem` is not touched, since reading it at a wrong address can stop the
/// machine.
///
/// # Errors
/// As `open(2)` and `mmap(2)` on `/dev/mem`.
pub(super) fn read(root: &Root, compatible: &[String]) -> io::Result<Option<Known<DieId>>> {
    if root.is_sandbox() {
        return match fs::read_to_string(root.path(SANDBOX_FILE)) {
            Ok(text) => Ok(DieId::from_text(text.trim()).map(|id| Known::new(id, SANDBOX_FILE))),
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(why) => Err(why),
        };
    }
    if !compatible.iter().any(|entry| SOCS.contains(&entry.as_str())) {
        return Ok(None);
    }
    let words = read_registers(&root.path(DEVICE), PAGE, &ADDRESSES)?;
    Ok(DieId::from_words(&words)
        .map(|id| Known::new(id, format!("{DEVICE} at {:#x}", ADDRESSES[5]))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Sandbox;
    use proptest::prelude::*;

    #[test]
    fn six_words_spell_the_id_without_the_zeros_at_its_end() {
        let words = [0x0123_abcd, 0, 0xf, 0x1000_0000, 0, 0];
        assert_eq!(
            DieId::from_words(&words).map(|id| id.to_string()).as_deref(),
            Some("0123abcd000000000000000f1")
        );
    }

    #[test]
    fn unburnt_registers_are_no_id() {
        assert_eq!(DieId::from_words(&[0; 6]), None);
        assert_eq!(DieId::from_words(&[u32::MAX; 6]), None);
        assert!(DieId::from_words(&[0, 0, 0, 0, 0, u32::MAX]).is_some());
    }

    #[test]
    fn a_sandboxed_board_has_it_in_a_file() {
        let sandbox = Sandbox::new();
        let id = || read(sandbox.root(), &[]).expect("readable").map(|id| id.value.to_string());
        assert_eq!(id(), None);
        sandbox.write("/dev/die-id", "0123ABCD00\n");
        assert_eq!(id().as_deref(), Some("0123abcd"));
        sandbox.write("/dev/die-id", "0000\n");
        assert_eq!(id(), None);
    }

    #[test]
    fn another_soc_is_left_alone() {
        // Would be an error without the right to open /dev/mem, and an answer with it.
        let other = ["linux,dummy-virt".to_owned()];
        assert_eq!(read(&Root::system(), &other).expect("not opened"), None);
    }

    proptest! {
        #[test]
        fn every_id_names_a_board(words in prop::array::uniform6(any::<u32>())) {
            if let Some(id) = DieId::from_words(&words) {
                prop_assert!(id.board_name().is_some());
                prop_assert!(id.serial_number().is_some());
                prop_assert_eq!(DieId::from_text(&id.to_string()), Some(id));
            }
        }
    }
}
