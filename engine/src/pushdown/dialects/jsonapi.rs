//! `jsonapi`: `filter[name]=a,b`, the convention that JSON:API recommends.

use super::standard;
use super::templated::{Family, unnamed};
use crate::model::{Column, FieldPath, Role, SortStyle, Word};

pub(super) struct JsonApi;

impl Family for JsonApi {
    fn name(&self) -> &'static str {
        "jsonapi"
    }

    fn sort(&self) -> (&'static str, SortStyle, usize) {
        ("sort", SortStyle::Minus, 8)
    }

    /// A comma separates values under `=` as well.
    fn template(&self, word: Word) -> Option<&'static str> {
        match word {
            Word::Eq | Word::In => Some("filter[{name}]={values:csv}"),
            _ => None,
        }
    }

    /// Attributes are called by their own name, wherever they stand in the document.
    fn column_path(&self, column: &Column, path: &[&str]) -> Result<Vec<String>, String> {
        let name = path.last().ok_or_else(|| unnamed(column))?;
        if name.contains(['[', ']']) {
            return Err("a name with brackets has no spelling in dialect jsonapi".to_owned());
        }
        Ok(vec![(*name).to_owned()])
    }

    /// `fields[things]` lists attributes.
    fn field_name(&self, column: &Column) -> Option<String> {
        match &column.role {
            Role::Field(FieldPath::Path(path)) if path.first()? == "attributes" => {
                path.get(1).filter(|name| !name.contains(',')).cloned()
            }
            _ => standard::field_name(column),
        }
    }
}
