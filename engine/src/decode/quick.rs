//! The short way from a row's bytes to a cell, for the common forms of the common types. What it cannot make, it leaves to
//! [`Converter`](super::convert::Converter), which gives the same cell where it can make one, and knows why where it cannot.

use super::batch::{Batch, Cell, Span};
use super::convert::moment_cell;
use super::datetime::Moment;
use super::locate::{Kind, Slot};
use super::number;
use crate::model::{Type, ValueFormat};

/// The short way of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quick {
    /// Integers within these bounds.
    Int(i64, i64),
    Double,
    Numeric,
    Bool,
    Text,
    Date,
    Timestamp,
    TimestampTz,
    /// There is none.
    No,
}

impl Quick {
    pub fn new(ty: &Type, format: Option<&ValueFormat>) -> Quick {
        match ty {
            _ if format.is_some() => Quick::No,
            Type::Int2 => Quick::Int(i16::MIN.into(), i16::MAX.into()),
            Type::Int4 => Quick::Int(i32::MIN.into(), i32::MAX.into()),
            Type::Int8 => Quick::Int(i64::MIN, i64::MAX),
            Type::Float8 => Quick::Double,
            Type::Numeric => Quick::Numeric,
            Type::Bool => Quick::Bool,
            Type::Text | Type::Bpchar | Type::Other => Quick::Text,
            Type::Date => Quick::Date,
            Type::Timestamp => Quick::Timestamp,
            Type::TimestampTz => Quick::TimestampTz,
            _ => Quick::No,
        }
    }

    /// The cell of what stands in `slot` of `row`. After `None` nothing was added to `batch`.
    #[inline(always)]
    pub fn cell(self, batch: &mut Batch, row: &[u8], slot: &Slot) -> Option<Cell> {
        let raw = &row[slot.start..slot.end];
        match (self, slot.kind) {
            (_, Kind::Missing | Kind::Null) => Some(Cell::Null),
            (Quick::Int(least, most), Kind::Integer) => {
                let value = number::short_integer(raw)?;
                (least..=most).contains(&value).then_some(Cell::Int(value))
            }
            (Quick::Double, Kind::Integer | Kind::Decimal) => {
                number::short_double(raw).map(Cell::Float)
            }
            (Quick::Numeric, Kind::Integer) => number::short_integer(raw).map(Cell::Int),
            (Quick::Numeric, Kind::Decimal) => add(batch, raw),
            (Quick::Bool, Kind::True) => Some(Cell::Bool(true)),
            (Quick::Bool, Kind::False) => Some(Cell::Bool(false)),
            (Quick::Text, Kind::Plain) if slot.ascii || std::str::from_utf8(raw).is_ok() => {
                add(batch, raw)
            }
            (Quick::Date | Quick::Timestamp, Kind::Plain) => {
                Some(moment_cell(self.ty(), Moment::parse(raw)?))
            }
            (Quick::TimestampTz, Kind::Plain) => {
                let moment = Moment::parse(raw)?;
                // What it means without a zone depends on the session.
                let has_zone = moment.offset.is_some();
                has_zone.then(|| moment_cell(self.ty(), moment))
            }
            _ => None,
        }
    }

    /// The cell of a text without U+0000 that stands for a value of any type, as in CSV. After `None` nothing was added to `batch`.
    #[inline]
    pub fn text_cell(self, batch: &mut Batch, raw: &[u8]) -> Option<Cell> {
        let kind = match (self, raw) {
            (Quick::Int(..) | Quick::Numeric, _) => Kind::Integer,
            (Quick::Double, _) => Kind::Decimal,
            (Quick::Bool, b"true" | b"t") => Kind::True,
            (Quick::Bool, b"false" | b"f") => Kind::False,
            _ => Kind::Plain,
        };
        let slot = Slot::of(kind, raw.len());
        self.cell(batch, raw, &slot)
    }

    fn ty(self) -> &'static Type {
        match self {
            Quick::Date => &Type::Date,
            Quick::TimestampTz => &Type::TimestampTz,
            _ => &Type::Timestamp,
        }
    }
}

#[inline]
fn add(batch: &mut Batch, raw: &[u8]) -> Option<Cell> {
    let start = u32::try_from(batch.arena.len()).ok()?;
    let len = u32::try_from(raw.len()).ok()?;
    start.checked_add(len)?;
    batch.arena.extend_from_slice(raw);
    Some(Cell::Text(Span { start, len }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::super::convert::Converter;
    use super::super::locate::single;
    use super::super::value::{Text, Value};
    use super::*;
    use proptest::prelude::*;

    const TYPES: [Type; 14] = [
        Type::Bool,
        Type::Int2,
        Type::Int4,
        Type::Int8,
        Type::Float4,
        Type::Float8,
        Type::Numeric,
        Type::Text,
        Type::Date,
        Type::Timestamp,
        Type::TimestampTz,
        Type::Uuid,
        Type::Json,
        Type::Other,
    ];

    /// Cells of a batch, with what they point at.
    fn shown(batch: &Batch, cell: Cell) -> String {
        match cell {
            Cell::Text(span) => format!("text {:?}", batch.bytes(span)),
            Cell::Float(value) => format!("{:x}", value.to_bits()),
            other => format!("{other:?}"),
        }
    }

    fn values() -> impl Strategy<Value = String> {
        prop_oneof![
            "-?(0|[1-9][0-9]{0,22})",
            "-?(0|[1-9][0-9]{0,17})\\.[0-9]{1,24}",
            "-?(0|[1-9][0-9]{0,5})(\\.[0-9]{1,4})?[eE][-+]?[0-9]{1,3}",
            "true|false|null|\\[1\\]|\\{\\}",
            "\"[ -!#-\\[\\]-~é😀]{0,20}\"",
            "\"-?[0-9]{1,20}\"",
            "\"20[0-9]{2}-[01][0-9]-[0-3][0-9]([T ][0-2][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[-+]0[0-9]:00)?)?\"",
        ]
    }

    /// What fields of CSV hold.
    fn texts() -> impl Strategy<Value = String> {
        prop_oneof![
            "[-+]?[0-9]{1,22}",
            "[-+]?[0-9]{0,18}\\.[0-9]{0,24}",
            "-?[0-9]{1,6}(\\.[0-9]{1,4})?[eE][-+]?[0-9]{1,3}",
            "true|false|t|f|yes|no|TRUE|on|0|1|nan|-inf|null",
            "[ -~é😀]{0,20}",
            " ?[0-9]{1,4} ?",
            "20[0-9]{2}-[01][0-9]-[0-3][0-9]([T ][0-2][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[-+]0[0-9]:00)?)?",
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]
        #[test]
        fn the_short_way_from_a_text_leads_to_the_same_cell(text in texts(), index in 0..TYPES.len()) {
            let (ty, raw) = (&TYPES[index], text.as_bytes());
            let (mut batch, mut other) = (Batch::default(), Batch::default());
            let found = Quick::new(ty, None).text_cell(&mut batch, raw);
            let value = Value::Text(Text { raw, escaped: false, ascii: false });
            let expected = Converter::default().cell(&mut other, ty, None, value);
            match found {
                Some(cell) => prop_assert_eq!(shown(&batch, cell), shown(&other, expected.unwrap())),
                None => prop_assert!(batch.arena.is_empty()),
            }
        }

        #[test]
        fn the_short_way_leads_to_the_same_cell(json in values(), index in 0..TYPES.len()) {
            let (ty, text) = (&TYPES[index], format!("{json} "));
            let (slot, _) = single(text.as_bytes(), 0, 0).unwrap();
            let (mut batch, mut other) = (Batch::default(), Batch::default());
            let found = Quick::new(ty, None).cell(&mut batch, text.as_bytes(), &slot);
            let expected = Converter::default().cell(&mut other, ty, None, slot.value(text.as_bytes()));
            match found {
                Some(cell) => prop_assert_eq!(shown(&batch, cell), shown(&other, expected.unwrap())),
                None => prop_assert!(batch.arena.is_empty()),
            }
        }
    }

    #[test]
    fn a_text_that_is_no_utf8_is_left_to_the_converter() {
        let row = b"\"\xff\" ";
        let (slot, _) = single(row, 0, 0).unwrap();
        assert_eq!(Quick::Text.cell(&mut Batch::default(), row, &slot), None);
    }

    #[test]
    fn usual_values_take_it() {
        for (ty, json) in [
            (Type::Int8, "-7"),
            (Type::Float8, "736.25"),
            (Type::Numeric, "0.1000"),
            (Type::Text, "\"é\""),
            (Type::TimestampTz, "\"2026-11-26T04:15:00Z\""),
        ] {
            let text = format!("{json} ");
            let (slot, _) = single(text.as_bytes(), 0, 0).unwrap();
            let cell = Quick::new(&ty, None).cell(&mut Batch::default(), text.as_bytes(), &slot);
            assert!(cell.is_some(), "{json}");
        }
    }
}
