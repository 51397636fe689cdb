//! SQL statements by name, so that a test can ask each engine how it carries out each of them.

/// The text of one statement, as both engines take it or as each does. Only [`statements!`] makes one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sql {
    sqlite: &'static str,
    postgres: &'static str,
}

impl Sql {
    /// For [`statements!`] alone: a statement that is made elsewhere escapes the test of the query
    /// plans.
    pub(super) const fn new(text: &'static str) -> Self {
        Sql { sqlite: text, postgres: text }
    }

    /// The same, for what SQL has no common word for.
    pub(super) const fn of_each(sqlite: &'static str, postgres: &'static str) -> Self {
        Sql { sqlite, postgres }
    }

    pub(super) const fn sqlite(self) -> &'static str {
        self.sqlite
    }

    pub(super) const fn postgres(self) -> &'static str {
        self.postgres
    }
}

/// Defines the statements of a module, and for the tests of the query plans a list of them.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:tt $(! $args:tt)?;)+) => {
        $(
            $(#[$doc])*
            const $name: $crate::store::statement::Sql =
                $crate::store::statement::sql!($sql $(! $args)?);
        )+

        #[cfg(test)]
        pub(super) const STATEMENTS: &[(&str, $crate::store::statement::Sql)] =
            &[$((stringify!($name), $name)),+];
    };
}

/// One statement: a text, a macro that makes one, or one for each engine.
macro_rules! sql {
    ({ sqlite: $sqlite:expr, postgres: $postgres:expr }) => {
        $crate::store::statement::Sql::of_each($sqlite, $postgres)
    };
    ($text:expr) => {
        $crate::store::statement::Sql::new($text)
    };
}

pub(super) use {sql, statements};
