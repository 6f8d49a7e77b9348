//! The data: a million rows, the same in pages of JSON, in one JSON array, and as CSV of 8 columns.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Rows in all.
pub const ROWS: u64 = 1_000_000;
/// Rows of one page.
pub const PAGE: u64 = 1_000;

/// xorshift64*, seeded: the same data on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % bound
    }
}

struct Row {
    id: u64,
    title: String,
    state: &'static str,
    score: String,
    comments: u64,
    locked: bool,
    created_at: String,
    login: String,
    user: u64,
}

impl Row {
    fn new(id: u64, random: &mut Random) -> Self {
        let user = random.below(10_000);
        Row {
            id,
            title: format!("Issue number {id} about subject {}", random.below(100_000)),
            state: if random.below(3) == 0 {
                "open"
            } else {
                "closed"
            },
            score: format!("{}.{:02}", random.below(1_000), random.below(100)),
            comments: random.below(500),
            locked: random.below(20) == 0,
            created_at: format!(
                "20{:02}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
                10 + random.below(15),
                1 + random.below(12),
                1 + random.below(28),
                random.below(24),
                random.below(60),
                random.below(60)
            ),
            login: format!("user{user}"),
            user,
        }
    }

    fn json(&self, text: &mut String) {
        let Row {
            id,
            title,
            state,
            score,
            comments,
            locked,
            created_at,
            login,
            user,
        } = self;
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            r#"{{"id":{id},"title":"{title}","state":"{state}","score":{score},"comments":{comments},"locked":{locked},"created_at":"{created_at}","user":{{"login":"{login}","id":{user},"avatar_url":"https://avatars.test/u/{user}"}},"labels":[],"body":"text of issue {id}"}}"#
        );
    }

    fn csv(&self, text: &mut String) {
        let Row {
            id,
            title,
            state,
            score,
            comments,
            locked,
            created_at,
            login,
            ..
        } = self;
        let _ = writeln!(
            text,
            "{id},{title},{state},{score},{comments},{locked},{created_at},{login}"
        );
    }
}

/// Writes `pages/N.json` (the page after the last is empty), `all.json` and `all.csv`.
pub fn generate(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder.join("pages"))?;
    let mut random = Random(0x5EED_0F2E_57FD_3000);
    let mut all = BufWriter::new(File::create(folder.join("all.json"))?);
    let mut csv = BufWriter::new(File::create(folder.join("all.csv"))?);
    for page in 1..=ROWS / PAGE {
        let (mut json, mut lines) = (String::new(), String::new());
        for id in (page - 1) * PAGE + 1..=page * PAGE {
            let row = Row::new(id, &mut random);
            if !json.is_empty() {
                json.push(',');
            }
            row.json(&mut json);
            row.csv(&mut lines);
        }
        fs::write(
            folder.join(format!("pages/{page}.json")),
            format!("[{json}]"),
        )?;
        all.write_all(if page == 1 { b"[" } else { b"," })?;
        all.write_all(json.as_bytes())?;
        csv.write_all(lines.as_bytes())?;
    }
    fs::write(folder.join(format!("pages/{}.json", ROWS / PAGE + 1)), "[]")?;
    all.write_all(b"]")?;
    all.flush()?;
    csv.flush()
}
