//! Tables, clients and consumers for tests.

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rest_engine::decode::{Batch, Cell};
use rest_engine::http::{Client, Egress, Network};
use rest_engine::model::options::{self, ColumnDefinition, Definition, Options};
use rest_engine::model::{
    Credentials, Location, Paging, RetryPolicy, RowsPath, Source, Table, Type,
};
use rest_engine::request::Inputs;
use rest_engine::scan::{Polled, Scan, ScanSpec};
use rest_engine::{Error, Result};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Two columns, `id` and `name`, of `/items`; pages by the Link header; retries that do not wait long.
pub fn table(base_url: &str) -> Table {
    let given = |pairs: &[(&str, &str)]| -> Options {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    };
    let column = |name: &str, ty: Type| ColumnDefinition {
        name: name.to_owned(),
        type_name: format!("{ty:?}"),
        ty,
        not_null: false,
        options: Options::new(),
    };
    let read = options::table(&Definition {
        table_name: "items",
        server_name: "api",
        server: &given(&[("base_url", base_url)]),
        table: &given(&[("endpoint", "/items"), ("pagination", "link")]),
        columns: &[column("id", Type::Int8), column("name", Type::Text)],
        version: "test",
    });
    Table {
        source: source(base_url),
        rows: RowsPath::Path(Vec::new()),
        ..read.unwrap()
    }
}

/// Pages that a server tells apart by `page=`, from 1 on, which end at an empty one.
pub fn numbered(base_url: &str) -> Table {
    Table {
        paging: Paging::Page {
            param: "page".to_owned(),
            first: 1,
        },
        ..table(base_url)
    }
}

/// Rows in `items`, the next URL in `next`.
pub fn next_url(base_url: &str) -> Table {
    Table {
        rows: RowsPath::Path(vec!["items".to_owned()]),
        paging: Paging::NextUrl {
            at: Location::Body(vec!["next".to_owned()]),
        },
        ..table(base_url)
    }
}

fn source(base_url: &str) -> Source {
    Source {
        name: "api".to_owned(),
        base_url: base_url.to_owned(),
        headers: Vec::new(),
        query: Vec::new(),
        user_agent: "rest_fdw/test".to_owned(),
        accept: Some("application/json".to_owned()),
        auth: None,
        connecting: Default::default(),
        connect_timeout: Duration::from_secs(10),
        timeout: Duration::from_secs(10),
        retry: RetryPolicy {
            max_retries: 2,
            statuses: vec![429, 503],
            network: true,
            max_time: Duration::from_secs(60),
        },
        rate_limit: None,
        max_concurrency: 4,
        max_pages: None,
        max_requests: None,
        max_response_bytes: 256 << 20,
    }
}

pub fn client(table: &Table) -> Arc<Client> {
    client_with(table, Credentials::default()).unwrap()
}

pub fn client_with(table: &Table, credentials: Credentials) -> Result<Arc<Client>> {
    Client::new(&table.source, credentials, Egress::unrestricted()).map(Arc::new)
}

pub fn client_over(network: Network, table: &Table, egress: Egress) -> Arc<Client> {
    let credentials = Credentials::default();
    Arc::new(Client::over(network, &table.source, credentials, egress).unwrap())
}

/// All columns by one chain of requests, pages fetched ahead.
pub fn spec(table: &Table) -> ScanSpec {
    ScanSpec {
        table: Arc::new(table.clone()),
        requests: vec![Inputs::default()],
        wanted: (0..table.columns.len()).collect(),
        hint: None,
        fetch_ahead: true,
        most_pages: None,
        budget: None,
        cache: None,
    }
}

pub fn scan(table: &Table) -> Scan {
    Scan::start(client(table), spec(table)).unwrap()
}

/// The next batch, or `None` at the end. Waits as the backend does: on the wake descriptor only.
pub fn next(scan: &mut Scan) -> Result<Option<Batch>> {
    loop {
        match scan.poll()? {
            Polled::Batch(batch) => return Ok(Some(batch)),
            Polled::Done => return Ok(None),
            Polled::Pending => assert!(wakes(scan, 20_000), "the scan stalled"),
        }
    }
}

/// Whether the wake descriptor is or becomes readable within so many milliseconds.
pub fn wakes(scan: &Scan, milliseconds: u16) -> bool {
    let mut descriptors = [PollFd::new(scan.wake(), PollFlags::POLLIN)];
    poll(&mut descriptors, PollTimeout::from(milliseconds)).unwrap() == 1
}

pub fn ids(batch: &Batch) -> Vec<i64> {
    let id = |index| match batch.row(index)[0] {
        Cell::Int(id) => id,
        other => panic!("not an id: {other:?}"),
    };
    (0..batch.rows).map(id).collect()
}

/// The ids of all rows up to the end or the first error, and that error.
pub fn read(scan: &mut Scan) -> (Vec<i64>, Option<Error>) {
    let mut all = Vec::new();
    loop {
        match next(scan) {
            Ok(Some(batch)) => all.extend(ids(&batch)),
            Ok(None) => return (all, None),
            Err(error) => return (all, Some(error)),
        }
    }
}

/// All ids of a scan of `table` that must succeed.
pub fn read_all(table: &Table) -> Vec<i64> {
    let (ids, error) = read(&mut scan(table));
    assert_eq!(error, None);
    ids
}

/// The error that a scan of `table` ends with.
pub fn failure(table: &Table) -> Error {
    read(&mut scan(table)).1.expect("an error")
}

pub fn range(first: i64, count: i64) -> Vec<i64> {
    (first..first + count).collect()
}

/// Waits until `what` holds, up to five seconds.
pub fn until(what: impl Fn() -> bool) -> bool {
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(5) {
        if what() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    what()
}
