//! SQL statements by name, so that a test can ask SQLite how it carries out each of them.

/// The text of one statement. Only [`statements!`] makes one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sql(&'static str);

impl Sql {
    /// For [`statements!`] alone: a statement that is made elsewhere escapes the test of the query
    /// plans.
    pub(super) const fn new(text: &'static str) -> Self {
        Sql(text)
    }

    pub(super) const fn text(self) -> &'static str {
        self.0
    }
}

/// Defines the statements of a module, and for the test of the query plans a list of them.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)+) => {
        $(
            $(#[$doc])*
            const $name: $crate::store::statement::Sql = $crate::store::statement::Sql::new($sql);
        )+

        #[cfg(test)]
        pub(super) const STATEMENTS: &[(&str, $crate::store::statement::Sql)] =
            &[$((stringify!($name), $name)),+];
    };
}

pub(super) use statements;
