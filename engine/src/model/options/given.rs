//! Reading options with their precedence: column, table, server, default.

use super::error::OptionError;

/// The options that apply, the nearest level first.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    levels: [&'a [(String, String)]; 2],
}

impl<'a> Given<'a> {
    /// The options of one level.
    pub(super) fn one(options: &'a [(String, String)]) -> Self {
        Given {
            levels: [options, &[]],
        }
    }

    /// A table's options, and its server's where the table has none.
    pub(super) fn two(table: &'a [(String, String)], server: &'a [(String, String)]) -> Self {
        Given {
            levels: [table, server],
        }
    }

    /// The option's text.
    pub(super) fn text(&self, option: &str) -> Option<&'a str> {
        let mut all = self.levels.iter().flat_map(|level| level.iter());
        all.find(|(name, _)| name == option)
            .map(|(_, value)| value.as_str())
    }

    /// The option's value.
    pub(super) fn read<T>(
        &self,
        option: &str,
        parse: impl Fn(&str, &str) -> Result<T, OptionError>,
    ) -> Result<Option<T>, OptionError> {
        self.text(option)
            .map(|value| parse(option, value))
            .transpose()
    }
}
