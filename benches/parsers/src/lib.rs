//! Ways from a page's bytes to what the rows add up to. Each reads the same eight values of a row, and checks that all else is JSON.
#![forbid(unsafe_code)]

use jiter::{Jiter, NumberInt};
use rest_engine::decode::{
    Batch, Cell, Envelope, Layout, Progress, RowPlan, Sink, Wanted, decode_page,
};
use rest_engine::error::{Exchange, Result};
use rest_engine::model::{FieldPath, Format, OnError, RowsPath, RowsShape, Type};
use serde::Deserialize;
use std::borrow::Cow;
use std::error::Error;

/// What the rows add up to: enough to see that all of them were read.
#[derive(Debug, Default, PartialEq, Clone, Copy)]
pub struct Sum {
    pub rows: usize,
    pub numbers: i64,
    /// Bytes of all texts.
    pub texts: usize,
    pub score: f64,
    pub locked: usize,
}

/// The engine's decoder, into batches of typed cells; `created_at` is a timestamp there.
pub struct Decoder(RowPlan);

impl Default for Decoder {
    fn default() -> Self {
        let fields = [
            ("id", Type::Int8),
            ("title", Type::Text),
            ("state", Type::Text),
            ("score", Type::Float8),
            ("comments", Type::Int4),
            ("locked", Type::Bool),
            ("created_at", Type::TimestampTz),
            ("user.login", Type::Text),
        ];
        let wanted = fields.map(|(field, ty)| Wanted {
            column: field.to_owned(),
            field: FieldPath::Path(field.split('.').map(str::to_owned).collect()),
            ty,
            format: None,
            on_error: OnError::Error,
            position: None,
        });
        Decoder(RowPlan::new(wanted.into(), None))
    }
}

impl Sink for Sum {
    fn first_row(&mut self, _: &Envelope) -> Result<()> {
        Ok(())
    }

    fn batch(&mut self, batch: Batch) -> Result<()> {
        self.rows += batch.rows;
        for cell in &batch.cells {
            match cell {
                Cell::Int(value) => self.numbers += value,
                Cell::Text(span) => self.texts += span.len as usize,
                Cell::Timestamp(_) => self.texts += "2026-11-26T05:20:00Z".len(),
                Cell::Float(value) => self.score += value,
                Cell::Bool(value) => self.locked += usize::from(*value),
                _ => {}
            }
        }
        Ok(())
    }
}

impl Decoder {
    /// # Errors
    /// The page is not what it should be.
    pub fn read(&self, body: &[u8]) -> Result<Sum> {
        let layout = Layout {
            format: Format::Json,
            rows: RowsPath::Auto,
            shape: RowsShape::Objects,
            envelope: Vec::new(),
        };
        let mut sum = Sum::default();
        decode_page(
            &mut &body[..],
            &self.0,
            &layout,
            &Exchange::default(),
            0,
            &mut Progress::default(),
            &mut sum,
        )?;
        Ok(sum)
    }
}

#[derive(Deserialize)]
struct Row<'a> {
    id: i64,
    #[serde(borrow)]
    title: Cow<'a, str>,
    #[serde(borrow)]
    state: Cow<'a, str>,
    score: f64,
    comments: i64,
    locked: bool,
    #[serde(borrow)]
    created_at: Cow<'a, str>,
    #[serde(borrow)]
    user: User<'a>,
}

#[derive(Deserialize)]
struct User<'a> {
    #[serde(borrow)]
    login: Cow<'a, str>,
}

fn sum(rows: &[Row]) -> Sum {
    rows.iter().fold(Sum::default(), |sum, row| Sum {
        rows: sum.rows + 1,
        numbers: sum.numbers + row.id + row.comments,
        texts: sum.texts
            + row.title.len()
            + row.state.len()
            + row.created_at.len()
            + row.user.login.len(),
        score: sum.score + row.score,
        locked: sum.locked + usize::from(row.locked),
    })
}

/// serde_json into structs that borrow: columns that are known when this is compiled.
///
/// # Errors
/// The page is not what it should be.
pub fn serde_json_structs(body: &[u8]) -> std::result::Result<Sum, Box<dyn Error>> {
    Ok(sum(&serde_json::from_slice::<Vec<Row>>(body)?))
}

/// sonic-rs into the same structs.
///
/// # Errors
/// As above.
pub fn sonic_rs_structs(body: &[u8]) -> std::result::Result<Sum, Box<dyn Error>> {
    Ok(sum(&sonic_rs::from_slice::<Vec<Row>>(body)?))
}

/// simd-json into the same structs. It writes into what it reads, so that the body is copied first.
///
/// # Errors
/// As above.
pub fn simd_json_structs(body: &[u8]) -> std::result::Result<Sum, Box<dyn Error>> {
    let mut copy = body.to_vec();
    Ok(sum(&simd_json::serde::from_slice::<Vec<Row>>(&mut copy)?))
}

/// serde_json into a tree of values: columns that are known when the query runs.
///
/// # Errors
/// As above.
pub fn serde_json_tree(body: &[u8]) -> std::result::Result<Sum, Box<dyn Error>> {
    let rows: Vec<serde_json::Value> = serde_json::from_slice(body)?;
    Ok(rows.iter().fold(Sum::default(), |sum, row| {
        let text = |name: &str| row[name].as_str().map_or(0, str::len);
        Sum {
            rows: sum.rows + 1,
            numbers: sum.numbers
                + row["id"].as_i64().unwrap_or(0)
                + row["comments"].as_i64().unwrap_or(0),
            texts: sum.texts
                + text("title")
                + text("state")
                + text("created_at")
                + row["user"]["login"].as_str().map_or(0, str::len),
            score: sum.score + row["score"].as_f64().unwrap_or(0.0),
            locked: sum.locked + usize::from(row["locked"] == true),
        }
    }))
}

/// jiter, member by member: columns that are known when the query runs.
///
/// # Errors
/// As above.
pub fn jiter_members(body: &[u8]) -> std::result::Result<Sum, Box<dyn Error>> {
    let mut json = Jiter::new(body);
    let mut sum = Sum::default();
    let mut more = json.next_array()?.is_some();
    while more {
        sum.rows += 1;
        let mut name = json.next_object()?.map(str::to_owned);
        while let Some(member) = name {
            match member.as_str() {
                "id" | "comments" => {
                    let NumberInt::Int(value) = json.next_int()?;
                    sum.numbers += value;
                }
                "title" | "state" | "created_at" => sum.texts += json.next_str()?.len(),
                "score" => sum.score += json.next_float()?,
                "locked" => sum.locked += usize::from(json.next_bool()?),
                "user" => {
                    let mut inner = json.next_object()?.map(str::to_owned);
                    while let Some(member) = inner {
                        match member.as_str() {
                            "login" => sum.texts += json.next_str()?.len(),
                            _ => json.next_skip()?,
                        }
                        inner = json.next_key()?.map(str::to_owned);
                    }
                }
                _ => json.next_skip()?,
            }
            name = json.next_key()?.map(str::to_owned);
        }
        more = json.array_step()?.is_some();
    }
    Ok(sum)
}
