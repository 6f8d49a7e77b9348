//! `jsonapi`: `filter[name]=a,b`, the convention that JSON:API recommends.

use super::parameters::{Family, unnamed};
use crate::model::{Column, Word};

pub(super) struct JsonApi;

impl Family for JsonApi {
    fn name(&self) -> &'static str {
        "jsonapi"
    }

    /// A comma separates values under `=` as well.
    fn template(&self, word: Word) -> Option<&'static str> {
        match word {
            Word::Eq | Word::In => Some("filter[{name}]={values:csv}"),
            _ => None,
        }
    }

    /// Attributes are called by their own name, wherever they stand in the document.
    fn max_sort_keys(&self) -> usize {
        usize::MAX
    }

    fn column_name(&self, column: &Column, path: &[&str]) -> Result<String, String> {
        let name = path.last().ok_or_else(|| unnamed(column))?;
        if name.contains(['[', ']']) {
            return Err("a name with brackets has no spelling in dialect jsonapi".to_owned());
        }
        Ok((*name).to_owned())
    }
}
