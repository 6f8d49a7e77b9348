//! A sample of an endpoint → the table that reads it.

use super::columns::{Made, columns};
use super::layout::{self, Layout, Shape};
use super::names::Names;
use super::{Sample, format, paging, written};
use crate::model::{Format, Segment, Type};

/// What is known of a table besides its sample.
#[derive(Debug, Clone, Default)]
pub struct Context<'a> {
    /// The format that the server's options say.
    pub format: Format,
    /// Where the rows are, if the server's options say so.
    pub rows: Option<Vec<Segment>>,
    /// The server's options say how its tables are paged.
    pub is_paged: bool,
    /// Names that no column may have: those of parameter columns and of the database's own columns.
    pub reserved: Vec<&'a str>,
    /// Bytes that a name may have.
    pub longest_name: usize,
}

/// A table that reads what was sampled.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Proposal {
    /// How many rows the page had.
    pub rows: u64,
    /// The columns, in the order of the response.
    pub columns: Vec<ProposedColumn>,
    /// Options of the table, besides those that the sample was asked for with.
    pub options: Vec<(String, String)>,
    /// What a reader should know.
    pub notes: Vec<Note>,
}

/// A column of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ProposedColumn {
    /// Its name, which may need quotes.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Its options.
    pub options: Vec<(String, String)>,
    /// What a reader should know of it: one line.
    pub note: Option<String>,
}

/// What a reader should know of a table.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Note {
    /// One line.
    pub text: String,
    /// Options that are likely, and that nothing in the response proves.
    pub options: Vec<(String, String)>,
}

impl From<String> for Note {
    fn from(text: String) -> Self {
        Note {
            text,
            options: Vec::new(),
        }
    }
}

/// Proposes the table.
///
/// # Errors
/// Why no table can be told from the sample, in a user's words.
pub fn propose(sample: &Sample, context: &Context) -> Result<Proposal, String> {
    let root = sample.body.as_ref().ok_or("the response has no content")?;
    let given = context
        .rows
        .as_deref()
        .filter(|path| root.at(path).is_some());
    let layout = match &sample.format {
        Format::Json => layout::find(root, given),
        bare => {
            let is_csv = matches!(bare, Format::Csv(_));
            layout::find_bare(root, sample.header.as_deref(), is_csv)
        }
    };
    let layout = layout.ok_or("the response has no rows")?;
    let mut names = Names::new(context.longest_name, &context.reserved);
    let made = columns(&layout, &mut names);
    let mut proposal = Proposal {
        rows: layout.count,
        options: place(&layout, &sample.format),
        ..Proposal::default()
    };
    if sample.format != context.format {
        proposal
            .options
            .splice(0..0, format::options(&sample.format));
    }
    proposal.options.extend(key(&made));
    let found = match layout.shape {
        Shape::Single => paging::Found::default(),
        _ => paging::find(&sample.headers, root, &layout),
    };
    if !context.is_paged {
        proposal.options.extend(found.options);
        proposal.notes.extend(found.notes);
    }
    let notes = layout.notes.into_iter().map(Note::from);
    proposal.notes.splice(0..0, notes);
    proposal.notes.extend(format::note(sample, &context.format));
    proposal.columns = made.into_iter().map(|made| made.column).collect();
    Ok(proposal)
}

/// The options that say where the rows are.
fn place(layout: &Layout, format: &Format) -> Vec<(String, String)> {
    let mut options = Vec::new();
    if !format.is_bare() {
        options.push(("rows", written::rows(&layout.rows)));
    }
    let shape = match &layout.shape {
        Shape::Objects | Shape::Records { .. } => None,
        Shape::Arrays { .. } => Some("arrays"),
        Shape::Map => Some("map"),
        Shape::Values => Some("values"),
        Shape::Single => Some("single"),
    };
    options.extend(shape.map(|shape| ("rows_shape", shape.to_owned())));
    if let Shape::Arrays {
        columns_field: Some(path),
        ..
    } = &layout.shape
    {
        options.push(("columns_field", written::path(path)));
    }
    let owned = |(name, value): (&str, String)| (name.to_owned(), value);
    options.into_iter().map(owned).collect()
}

/// The option `key`: a member `id` of which no two rows have the same, or the name of a map's row.
fn key(made: &[Made]) -> Option<(String, String)> {
    let is_key = |made: &&Made| made.is_unique && (made.path.is_empty() || made.path == ["id"]);
    let key = made.iter().find(is_key)?;
    Some(("key".to_owned(), key.column.name.clone()))
}
