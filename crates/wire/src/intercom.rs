//! The documented 200 body: an intercom as the API shows it.

use super::{Mac, SerialNumber};
use crate::json_object;

/// The `source` of every identity change that a PATCH asks for.
pub const SOURCE_AUTO_REPLACE: &str = "auto-replace";

json_object! {
    /// An intercom, with exactly the documented keys in the documented order and nesting.
    ///
    /// `status` and `source` are open strings: the page shows values and lists none.
    #[derive(Debug, Clone, PartialEq)]
    pub struct IntercomBody {
        /// The intercom's ID.
        pub id: Option<i64>,
        /// Its ID in an external system.
        pub external_id: Option<String>,
        /// The department's name: an integer in requests, a string in answers, as the page shows it.
        pub department: Option<String>,
        /// The intercom's name.
        pub title: Option<String>,
        /// The MAC address.
        pub mac: Option<Mac>,
        /// The model.
        pub model: Option<String>,
        /// The serial number.
        pub serial_number: Option<SerialNumber>,
        /// What became of it, such as `installed` or `empty`.
        pub status: Option<String>,
        /// The first flat that the panel serves.
        pub flat_from: Option<i64>,
        /// The last flat that the panel serves.
        pub flat_to: Option<i64>,
        /// Where the record came from, such as `auto-replace`.
        pub source: Option<String>,
        /// The group (address) that the intercom belongs to.
        pub group: Option<Group>,
    }
}

json_object! {
    /// A group (address) of intercoms.
    #[derive(Debug, Clone, PartialEq)]
    pub struct Group {
        /// The group's ID.
        pub id: i64,
        /// Its name.
        pub name: String,
        /// Its ID in an external system.
        pub external_id: Option<String>,
        /// Whether anything but intercoms belongs to it.
        pub has_items: bool,
    }
}
