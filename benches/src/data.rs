//! The data: a million rows, the same in pages of JSON, in one JSON array, and as CSV of 8 columns.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Rows in all.
pub const ROWS: u64 = 1_000_000;
/// Rows of one page.
pub const PAGE: u64 = 1_000;
/// Rows of one of the small pages.
pub const SMALL_PAGE: u64 = 100;
/// Rows that are files of their own.
const SINGLE: u64 = 1_000;

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

/// The files that hold all rows.
struct Whole {
    json: BufWriter<File>,
    lines: BufWriter<File>,
    csv: BufWriter<File>,
}

impl Whole {
    fn create(folder: &Path) -> io::Result<Self> {
        let file = |name: &str| File::create(folder.join(name)).map(BufWriter::new);
        Ok(Whole {
            json: file("all.json")?,
            lines: file("all.jsonl")?,
            csv: file("all.csv")?,
        })
    }

    fn add(&mut self, row: &Row, json: &str) -> io::Result<()> {
        self.json.write_all(if row.id == 1 { b"[" } else { b"," })?;
        self.json.write_all(json.as_bytes())?;
        writeln!(self.lines, "{json}")?;
        let mut csv = String::new();
        row.csv(&mut csv);
        self.csv.write_all(csv.as_bytes())
    }

    fn finish(mut self) -> io::Result<()> {
        self.json.write_all(b"]")?;
        self.json.flush()?;
        self.lines.flush()?;
        self.csv.flush()
    }
}

/// A folder of pages.
struct Pages<'a> {
    folder: &'a Path,
    name: &'static str,
    size: u64,
    rows: Vec<String>,
    written: u64,
}

impl<'a> Pages<'a> {
    fn create(folder: &'a Path, name: &'static str, size: u64) -> io::Result<Self> {
        fs::create_dir_all(folder.join(name))?;
        Ok(Pages {
            folder,
            name,
            size,
            rows: Vec::new(),
            written: 0,
        })
    }

    fn add(&mut self, json: &str) -> io::Result<()> {
        self.rows.push(json.to_owned());
        match self.rows.len() as u64 == self.size {
            true => self.write(),
            false => Ok(()),
        }
    }

    fn write(&mut self) -> io::Result<()> {
        self.written += 1;
        let text = format!("[{}]", self.rows.join(","));
        self.rows.clear();
        let file = format!("{}/{}.json", self.name, self.written);
        fs::write(self.folder.join(file), text)
    }
}

/// The first rows, in each format.
pub struct Sample {
    rows: Vec<Row>,
}

impl Sample {
    /// The first `rows` rows.
    #[must_use]
    pub fn new(rows: u64) -> Self {
        let mut random = Random(SEED);
        Sample {
            rows: (1..=rows).map(|id| Row::new(id, &mut random)).collect(),
        }
    }

    /// One array.
    #[must_use]
    pub fn json(&self) -> String {
        format!("[{}]", self.objects().join(","))
    }

    /// A row a line.
    #[must_use]
    pub fn lines(&self) -> String {
        self.objects().join("\n") + "\n"
    }

    /// Eight columns, with their names before them.
    #[must_use]
    pub fn csv(&self) -> String {
        let mut text = "id,title,state,score,comments,locked,created_at,login\n".to_owned();
        self.rows.iter().for_each(|row| row.csv(&mut text));
        text
    }

    fn objects(&self) -> Vec<String> {
        let object = |row: &Row| {
            let mut text = String::new();
            row.json(&mut text);
            text
        };
        self.rows.iter().map(object).collect()
    }
}

const SEED: u64 = 0x5EED_0F2E_57FD_3000;

/// Writes `pages/N.json` and `small/N.json` (the page after the last is empty), `one/ID.json`, `all.json`, `all.jsonl` and `all.csv`.
pub fn generate(folder: &Path) -> io::Result<()> {
    let mut random = Random(SEED);
    let mut whole = Whole::create(folder)?;
    let mut pages = Pages::create(folder, "pages", PAGE)?;
    let mut small = Pages::create(folder, "small", SMALL_PAGE)?;
    fs::create_dir_all(folder.join("one"))?;
    for id in 1..=ROWS {
        let row = Row::new(id, &mut random);
        let mut json = String::new();
        row.json(&mut json);
        if id <= SINGLE {
            fs::write(folder.join(format!("one/{id}.json")), &json)?;
        }
        whole.add(&row, &json)?;
        pages.add(&json)?;
        small.add(&json)?;
    }
    pages.write()?;
    small.write()?;
    whole.finish()
}
