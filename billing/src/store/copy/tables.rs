//! The tables that a copy has, in an order in which what is referred to comes first.

/// A table and the columns of its primary key, in the order of the key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) key: &'static [&'static str],
}

pub(super) const TABLES: [Table; 23] = [
    Table { name: "groups", key: &["id"] },
    Table { name: "departments", key: &["id"] },
    Table { name: "intercoms", key: &["id"] },
    Table { name: "requests", key: &["number"] },
    Table { name: "boards", key: &["board"] },
    Table { name: "macs", key: &["mac"] },
    Table { name: "reports", key: &["number"] },
    Table { name: "offers", key: &["request_id", "board"] },
    Table { name: "by_hand", key: &["board"] },
    Table { name: "factories", key: &["board"] },
    Table { name: "hardware", key: &["number"] },
    Table { name: "swaps", key: &["request_id"] },
    Table { name: "tokens", key: &["number"] },
    Table { name: "sessions", key: &["digest"] },
    Table { name: "webhooks", key: &["id"] },
    Table { name: "deliveries", key: &["number"] },
    Table { name: "delivery_log", key: &["number"] },
    Table { name: "quiet_hours", key: &["group_id"] },
    Table { name: "credentials", key: &["intercom_id"] },
    Table { name: "audit", key: &["number"] },
    Table { name: "imports", key: &["id"] },
    Table { name: "import_rows", key: &["import_id", "line"] },
    // One row, which has no key. Last: with the issuer, the copy is this database.
    Table { name: "service", key: &["issuer"] },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::store::Store;

    #[test]
    fn every_table_is_copied() {
        let dir = tempfile::TempDir::new().expect("a directory");
        let file = dir.path().join("billing.sqlite");
        drop(Store::open(&file).expect("a store"));
        let database = rusqlite::Connection::open(&file).expect("the file");
        // The index of the words in the titles is made anew.
        let all = "SELECT name FROM sqlite_schema WHERE type = 'table' 
            AND name NOT LIKE 'titles%' AND name <> 'sqlite_sequence'";
        let mut all = database.prepare(all).expect("the tables");
        let all = all.query_map([], |row| row.get(0)).expect("the tables");
        let all: BTreeSet<String> = all.collect::<Result<_, _>>().expect("names");
        assert_eq!(
            TABLES.map(|table| table.name.to_owned()).into_iter().collect::<BTreeSet<_>>(),
            all
        );
    }
}
