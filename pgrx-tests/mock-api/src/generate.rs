//! What the generated rows are: rows that depend on a seed and their number only, each of the same size.

use jiff::Timestamp;
use serde_json::{Value, json};
use std::io::Write;

/// Bytes of JSON a row; with the comma after it, a million of them are 287 MB.
pub(crate) const ROW_BYTES: usize = 286;

/// 2015-01-01T00:00:00Z
const FIRST_CREATED_AT: i64 = 1_420_070_400;
/// Seconds between two rows; a million of them are not quite two years.
const SECONDS_APART: i64 = 61;

const WORDS: [&str; 8] = [
    "amber", "basalt", "cobalt", "dolomite", "emerald", "feldspar", "garnet", "hematite",
];
const LABELS: [&str; 4] = ["bug", "docs", "help wanted", "question"];
const PROSE: &str = "the quick brown fox jumps over the lazy dog while seventeen careful engineers read the whole page twice and \
                     then once more before they agree that nothing in it is out of place, which is all that anybody can ask of ";

/// `count` rows of the kind `items`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Items {
    pub(crate) count: usize,
    pub(crate) seed: u64,
}

/// The values of one row.
struct Item {
    id: usize,
    word: &'static str,
    open: bool,
    score_cents: u64,
    comments: u64,
    locked: bool,
    created_at: Timestamp,
    user: u64,
    labels: &'static [&'static str],
    prose_at: usize,
}

impl Items {
    /// The members of a row, by name.
    pub(crate) const COLUMNS: [&'static str; 10] = [
        "body",
        "comments",
        "created_at",
        "id",
        "labels",
        "locked",
        "score",
        "state",
        "title",
        "user",
    ];

    fn item(self, index: usize) -> Item {
        let bits = splitmix64(self.seed ^ (index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let first_label = (bits >> 8) as usize % LABELS.len();
        let label_count = (bits >> 12) as usize % 3;
        let seconds = FIRST_CREATED_AT + index as i64 * SECONDS_APART;
        Item {
            id: index + 1,
            word: WORDS[bits as usize % WORDS.len()],
            open: (bits >> 4) & 3 != 0,
            score_cents: (bits >> 16) % 10_000,
            comments: (bits >> 30) % 500,
            locked: (bits >> 40) & 7 == 0,
            created_at: Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX),
            user: 1 + (bits >> 44) % 5_000,
            labels: &LABELS[first_label..LABELS.len().min(first_label + label_count)],
            prose_at: (bits >> 56) as usize % (PROSE.len() / 2),
        }
    }

    /// A row's value at a path of names, or `None` if it has no such member.
    pub(crate) fn field(self, index: usize, path: &[String]) -> Option<Value> {
        let item = self.item(index);
        let names: Vec<&str> = path.iter().map(String::as_str).collect();
        Some(match names.as_slice() {
            ["id"] => json!(item.id),
            ["state"] => json!(item.state()),
            ["score"] => json!(item.score_cents as f64 / 100.0),
            ["comments"] => json!(item.comments),
            ["locked"] => json!(item.locked),
            ["created_at"] => json!(item.created_at.to_string()),
            _ => {
                let mut text = Vec::with_capacity(ROW_BYTES);
                item.write(&mut text);
                let row: Value = serde_json::from_slice(&text).ok()?;
                names
                    .iter()
                    .try_fold(&row, |value, name| value.get(name))?
                    .clone()
            }
        })
    }

    /// Appends a row's JSON, `ROW_BYTES` long.
    pub(crate) fn write(self, index: usize, out: &mut Vec<u8>) {
        self.item(index).write(out);
    }
}

impl Item {
    fn state(&self) -> &'static str {
        if self.open { "open" } else { "closed" }
    }

    fn write(&self, out: &mut Vec<u8>) {
        let start = out.len();
        let Item {
            id,
            word,
            comments,
            locked,
            created_at,
            user,
            ..
        } = self;
        let (whole, cents) = (self.score_cents / 100, self.score_cents % 100);
        // Writing into a Vec cannot fail.
        let _ = write!(
            out,
            r#"{{"id":{id},"title":"Item {id} {word}","state":"{}","score":{whole}.{cents:02},"comments":{comments},"locked":{locked},"#,
            self.state(),
        );
        let _ = write!(
            out,
            r#""created_at":"{created_at}","user":{{"login":"user{user}","id":{user},"avatar_url":"https://avatars.example/u/{user}"}},"labels":["#,
        );
        for (number, label) in self.labels.iter().enumerate() {
            let comma = if number == 0 { "" } else { "," };
            let _ = write!(out, r#"{comma}"{label}""#);
        }
        out.extend_from_slice(br#"],"body":""#);
        let filling = ROW_BYTES.saturating_sub(out.len() - start + 2);
        out.extend(PROSE.bytes().cycle().skip(self.prose_at).take(filling));
        out.extend_from_slice(b"\"}");
    }
}

/// The output function of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
fn splitmix64(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    const ITEMS: Items = Items {
        count: 1_000_000,
        seed: 1,
    };

    fn row(items: Items, index: usize) -> Value {
        let mut text = Vec::new();
        items.write(index, &mut text);
        assert_eq!(text.len(), ROW_BYTES, "{}", String::from_utf8_lossy(&text));
        serde_json::from_slice(&text).unwrap()
    }

    #[test]
    fn rows_have_one_size_and_all_columns() {
        for index in (0..1_000_000).step_by(997).chain([999_999]) {
            let row = row(ITEMS, index);
            let names: Vec<&String> = row.as_object().unwrap().keys().collect();
            assert_eq!(names, Items::COLUMNS);
        }
    }

    #[test]
    fn rows_depend_on_seed_and_number_only() {
        assert_eq!(row(ITEMS, 41), row(ITEMS, 41));
        assert_ne!(
            row(ITEMS, 41)["body"],
            row(Items { seed: 2, ..ITEMS }, 41)["body"]
        );
    }

    #[test]
    fn a_field_is_what_the_row_says() {
        for index in [0, 7, 123_456] {
            let row = row(ITEMS, index);
            for name in Items::COLUMNS {
                assert_eq!(
                    ITEMS.field(index, &[name.to_owned()]),
                    Some(row[name].clone()),
                    "{name}"
                );
            }
            assert_eq!(
                ITEMS.field(index, &["user".to_owned(), "login".to_owned()]),
                Some(row["user"]["login"].clone())
            );
            assert_eq!(ITEMS.field(index, &["nothing".to_owned()]), None);
        }
    }
}
