//! What of a response is wanted: the table's declarations in the decoder's terms.

use crate::decode::{Layout, RowPlan, Wanted};
use crate::model::{FieldPath, Location, Paging, Role, RowsShape, Segment, Table};

/// What to decode, and where it is.
#[derive(Debug)]
pub(super) struct Decoding {
    pub(super) plan: RowPlan,
    pub(super) layout: Layout,
}

impl Decoding {
    /// For the columns `wanted`, indexes into the table's columns. A parameter column has no place in a response, and
    /// gives a cell that is always NULL.
    pub(super) fn new(table: &Table, wanted: &[usize]) -> Self {
        let keyset = match &table.paging {
            Paging::Keyset { field, .. } => Some(field.clone()),
            _ => None,
        };
        let wanted = wanted
            .iter()
            .filter_map(|index| column(table, *index))
            .collect();
        Decoding {
            plan: RowPlan::new(wanted, keyset),
            layout: Layout {
                format: table.format.clone(),
                rows: table.rows.clone(),
                shape: table.shape.clone(),
                envelope: envelope(table),
            },
        }
    }
}

fn column(table: &Table, index: usize) -> Option<Wanted> {
    let column = table.columns.get(index)?;
    let Role::Field(field) = &column.role else {
        return None;
    };
    let by_position = matches!(
        table.shape,
        RowsShape::Arrays {
            columns_field: None
        }
    ) && matches!(field, FieldPath::Default(_));
    let before = table.columns.iter().take(index);
    let position = before
        .filter(|column| matches!(column.role, Role::Field(_)))
        .count();
    Some(Wanted {
        column: column.name.clone(),
        field: field.clone(),
        ty: column.ty.clone(),
        format: column.format.clone(),
        on_error: column.on_error,
        position: by_position.then_some(position),
    })
}

/// The members outside the rows that paging needs.
fn envelope(table: &Table) -> Vec<Vec<Segment>> {
    let next = match &table.paging {
        Paging::NextUrl {
            at: Location::Body(path),
        }
        | Paging::Cursor {
            at: Location::Body(path),
            ..
        } => vec![path.clone()],
        Paging::AfterKey { at, members, .. } => members
            .iter()
            .map(|member| at.iter().chain([member]).cloned().collect())
            .collect(),
        _ => Vec::new(),
    };
    let members = [
        &table.has_more_field,
        &table.total_field,
        &table.page_count_field,
    ];
    let declared = members.into_iter().flatten().cloned();
    declared.chain(next).collect()
}
