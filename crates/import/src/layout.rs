//! How a file is laid out: its columns, and what stands between cells.

/// Defines the columns with their names in the header, in the order in which they are documented.
macro_rules! columns {
    ($($name:ident = $word:literal,)+) => {
        /// A column that can be imported: a field of the documented PATCH, or of its schedule.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the names are the documented ones")]
        pub enum Column {
            $($name,)+
        }

        /// Every column.
        pub const COLUMNS: &[Column] = &[$(Column::$name),+];

        impl Column {
            /// Its name in the header, which is the field's.
            pub fn name(self) -> &'static str {
                match self {
                    $(Column::$name => $word,)+
                }
            }
        }
    };
}

columns! {
    Id = "id",
    Mac = "mac",
    NewMac = "new_mac",
    NewSerialNumber = "new_serial_number",
    Model = "model",
    GroupId = "group_id",
    GroupExternalId = "group_external_id",
    Title = "title",
    Name = "name",
    Department = "department",
    FlatFrom = "flat_from",
    FlatTo = "flat_to",
    LogExtra = "log_extra",
    NotBefore = "not_before",
    Expires = "expires",
}

impl Column {
    /// The column of that name.
    pub fn of(name: &str) -> Option<Self> {
        COLUMNS.iter().copied().find(|column| column.name() == name)
    }
}

/// What stands between two cells. Which one a spreadsheet writes depends on its language; what is
/// copied out of one has tabs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Separator {
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// A tab.
    Tab,
}

impl Separator {
    /// The separator of a header, in which none of them stands otherwise.
    pub(crate) fn of_header(header: &str) -> Self {
        let first = header.chars().find_map(Self::of);
        first.unwrap_or(Separator::Comma)
    }

    /// The separator that is this character.
    pub fn of(character: char) -> Option<Self> {
        [Separator::Comma, Separator::Semicolon, Separator::Tab]
            .into_iter()
            .find(|separator| separator.character() == character)
    }

    /// The character.
    pub fn character(self) -> char {
        match self {
            Separator::Comma => ',',
            Separator::Semicolon => ';',
            Separator::Tab => '\t',
        }
    }

    pub(crate) fn byte(self) -> u8 {
        match self {
            Separator::Comma => b',',
            Separator::Semicolon => b';',
            Separator::Tab => b'\t',
        }
    }
}

/// What the result file has in common with the file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// What stands between cells.
    pub separator: Separator,
    /// Whether it begins with a byte order mark, by which some spreadsheets know UTF-8.
    pub has_byte_order_mark: bool,
    /// The columns, in their order.
    pub columns: Vec<Column>,
}
