//! What the peers cannot go below. pgsql-http is no package of Debian 12, but what it leaves to SQL can be measured without it.

use crate::place::{Place, answer};
use crate::scans::EIGHT_COLUMNS;
use crate::section::{Comparison, Section};
use crate::turns::{self, Subject};
use bench::data;
use std::cell::RefCell;
use std::error::Error;

const ROUNDS: usize = 3;

/// The query over a response that is a `jsonb` value, as `http_get(…).content::jsonb` is.
const UNNESTED: &str = "SELECT count(*), sum((row ->> 'id')::bigint), sum((row ->> 'score')::double precision), max(row ->> 'title'),
    max((row ->> 'created_at')::timestamptz), sum((row ->> 'comments')::integer), max(row ->> 'state'), max(row -> 'user' ->> 'login')
  FROM pages, jsonb_array_elements(page::jsonb) AS row";

/// The pages in a local table, taken apart by `jsonb_array_elements`, beside the scan that downloads them too.
pub fn measure(place: &Place) -> Result<Section, Box<dyn Error>> {
    let client = RefCell::new(place.connect()?);
    let last = data::ROWS / data::PAGE;
    client.borrow_mut().batch_execute(&format!(
        "CREATE TABLE pages AS SELECT pg_read_file('{}/pages/' || number || '.json') AS page FROM generate_series(1, {last}) AS number;
         SET max_parallel_workers_per_gather = 0",
        place.folder.display()
    ))?;
    let scan = format!("{EIGHT_COLUMNS} paged");
    let expected = answer(&mut client.borrow_mut(), &scan)?;
    let subject = |name: &str, sql: &str| {
        let (client, expected, sql) = (&client, &expected, sql.to_owned());
        Subject::new(name, move || {
            match answer(&mut client.borrow_mut(), &sql)? {
                got if got == *expected => Ok(()),
                got => Err(format!("{got} instead of {expected}").into()),
            }
        })
    };
    let timings = turns::time(
        ROUNDS,
        vec![
            subject("local pages, jsonb_array_elements", UNNESTED),
            subject("rest_fdw, 1,000 pages of 1,000 rows", &scan),
        ],
    )?;
    Ok(Section {
        title: "What pgsql-http cannot go below",
        about: "The usual way with pgsql-http is `jsonb_array_elements(http_get(…).content::jsonb)`. Here the pages are in a local table \
                already, so that nothing is downloaded; the scan beside it downloads them. At least 6 × is to be reached against the whole of it."
            .to_owned(),
        timings,
        comparisons: vec![Comparison::ratio(1, 0, 0.17)],
        figures: Vec::new(),
        plot: None,
    })
}
