//! Responses on disk: found whole or not at all, bounded, private, and gone when they should be.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::head::{Head, Moment};
use super::identity::{Identity, of_client, of_request, of_scope};
use super::layout::entries;
use super::recording::Recording;
use super::store::{Cleared, Store};
use crate::http::{CancelToken, Egress};
use crate::model::options::fixture;
use crate::model::{Caching, Credentials, Method};
use crate::request::Request;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

const MIB: u64 = 1 << 20;
const SERVER: &str = "1-2";

/// A directory that goes with its test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("rest_fdw-cache-{}-{number}", std::process::id());
        Folder(std::env::temp_dir().join(name))
    }

    fn store(&self) -> Store {
        Store::new(&self.0)
    }

    /// The files of finished responses.
    fn stored(&self) -> Vec<PathBuf> {
        let servers = entries(&self.0.join("servers"));
        servers
            .flat_map(|(server, _)| entries(&server))
            .map(|(file, _)| file)
            .collect()
    }

    fn unfinished(&self) -> usize {
        entries(&self.0.join("unfinished")).count()
    }

    /// What the ledger says.
    fn taken(&self) -> u64 {
        let bytes = fs::read(self.0.join("size")).unwrap();
        u64::from_le_bytes(bytes.try_into().unwrap())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn id(number: usize) -> Identity {
    let source = fixture::table(&[], &[], &[]).source;
    let client = of_client(&source, &Egress::unrestricted(), &Credentials::default());
    let scope = of_scope(&["a test"], client);
    let request = Request {
        method: Method::Get,
        url: format!("http://api.test/{number}"),
        headers: Vec::new(),
        body: None,
    };
    of_request(scope, Caching::Http, &request)
}

fn head() -> Head {
    Head {
        status: 200,
        headers: vec![("etag".to_owned(), "\"known-etag\"".to_owned())],
        redirected_to: None,
        received: Moment::from(SystemTime::now()),
        asked: Moment::from(SystemTime::now()),
    }
}

fn space(store: &Store, bound: u64) -> super::space::Space {
    store.space(bound, &CancelToken::new().unwrap())
}

fn begin(store: &Store, number: usize, bound: u64) -> Recording {
    let begun = store.begin(SERVER, id(number), head(), space(store, bound));
    begun.unwrap()
}

/// Stores a body in pieces of an odd size; whether it was stored.
fn store(store: &Store, number: usize, body: &[u8], bound: u64) -> bool {
    let mut recording = begin(store, number, bound);
    body.chunks(7919).all(|bytes| recording.write(bytes)) && recording.finish()
}

fn find(store: &Store, number: usize) -> Option<Vec<u8>> {
    let (found, mut reader) = store.find(SERVER, id(number), &space(store, 100 * MIB))?;
    assert_eq!(found.headers, head().headers);
    let mut body = Vec::new();
    reader.read_to_end(&mut body).unwrap();
    Some(body)
}

/// A body that tells where a byte of it belongs.
fn body(length: usize, seed: u8) -> Vec<u8> {
    (0..length)
        .map(|index| (index / 251) as u8 ^ (index % 251) as u8 ^ seed)
        .collect()
}

#[test]
fn a_stored_response_is_found_by_every_store_of_its_directory() {
    let folder = Folder::new();
    let (one, other) = (folder.store(), folder.store());
    for (number, length) in [0, 1, 65_535, 65_536, 65_537, 200_000]
        .into_iter()
        .enumerate()
    {
        let body = body(length, 1);
        assert!(store(&one, number, &body, 100 * MIB), "{length}");
        assert_eq!(find(&other, number), Some(body), "{length}");
    }
    assert_eq!(find(&other, 99), None);
    assert_eq!(folder.unfinished(), 0);
}

#[test]
fn the_later_of_two_responses_stays() {
    let folder = Folder::new();
    let stored = folder.store();
    for seed in [1, 2] {
        assert!(store(&stored, 0, &body(10_000, seed), 100 * MIB));
    }
    assert_eq!(find(&stored, 0), Some(body(10_000, 2)));
    assert_eq!(folder.stored().len(), 1);
    assert_eq!(folder.taken(), 12 << 10, "the first counts no more");
}

#[test]
fn nothing_is_left_of_what_was_not_finished() {
    let folder = Folder::new();
    let store = folder.store();
    let mut recording = begin(&store, 0, 100 * MIB);
    assert!(recording.write(&body(500_000, 1)));
    assert_eq!(folder.unfinished(), 1);
    assert!(folder.taken() >= 500_000);
    assert_eq!(find(&store, 0), None, "half of it is not found");
    drop(recording);
    assert_eq!((folder.unfinished(), folder.taken()), (0, 0));
    assert_eq!(find(&store, 0), None);
}

#[test]
fn whatever_is_damaged_is_not_found_and_goes() {
    let folder = Folder::new();
    let stored = folder.store();
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage); 9] = [
        ("the magic", |bytes| bytes[0] ^= 1),
        ("the salt", |bytes| bytes[9] ^= 1),
        ("the first piece", |bytes| bytes[30] ^= 1),
        ("the last piece", |bytes| bytes[100_000] ^= 1),
        ("the end", |bytes| *bytes.last_mut().unwrap() ^= 1),
        ("cut off", |bytes| bytes.truncate(bytes.len() - 1)),
        ("half of it", |bytes| bytes.truncate(bytes.len() / 2)),
        ("empty", Vec::clear),
        ("two pieces swapped", |bytes| {
            let piece = 65_536 + 16;
            let (first, second) = bytes[24..24 + 2 * piece].split_at_mut(piece);
            first.swap_with_slice(second);
        }),
    ];
    for (what, damage) in damages {
        assert!(store(&stored, 0, &body(150_000, 1), 100 * MIB));
        let file = folder.stored().pop().unwrap();
        let mut bytes = fs::read(&file).unwrap();
        damage(&mut bytes);
        fs::write(&file, bytes).unwrap();
        assert_eq!(find(&stored, 0), None, "{what}");
        assert_eq!(folder.stored(), Vec::<PathBuf>::new(), "{what}");
    }
}

#[test]
fn the_response_to_another_request_does_not_open() {
    let folder = Folder::new();
    let stored = folder.store();
    assert!(store(&stored, 0, b"secret of zero", 100 * MIB));
    let zero = folder.stored().pop().unwrap();
    assert!(store(&stored, 1, b"one", 100 * MIB));
    let one = folder.stored().into_iter().find(|file| *file != zero);
    fs::copy(&zero, one.unwrap()).unwrap();
    assert_eq!(find(&stored, 1), None);
}

#[test]
fn nothing_can_be_read_in_the_files_or_their_names() {
    let folder = Folder::new();
    assert!(store(
        &folder.store(),
        0,
        b"a body that is as secret as a table",
        100 * MIB
    ));
    let mut all = Vec::new();
    let mut folders = vec![folder.0.clone()];
    while let Some(next) = folders.pop() {
        for (path, found) in entries(&next) {
            let mode = found.permissions().mode() & 0o777;
            assert_eq!(mode, if found.is_dir() { 0o700 } else { 0o600 }, "{path:?}");
            all.extend(path.to_str().unwrap().bytes());
            if found.is_dir() {
                folders.push(path);
            } else {
                all.extend(fs::read(path).unwrap());
            }
        }
    }
    for text in ["secret", "known-etag", "api.test"] {
        let found = all
            .windows(text.len())
            .any(|bytes| bytes == text.as_bytes());
        assert!(!found, "{text}");
    }
    assert_eq!(
        fs::metadata(&folder.0).unwrap().permissions().mode() & 0o777,
        0o700
    );
}

#[test]
fn a_directory_that_others_may_read_becomes_private() {
    let folder = Folder::new();
    fs::create_dir(&folder.0).unwrap();
    fs::set_permissions(&folder.0, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(store(&folder.store(), 0, b"x", 100 * MIB));
    assert_eq!(
        fs::metadata(&folder.0).unwrap().permissions().mode() & 0o777,
        0o700
    );
}

/// Makes what was stored last look used so long ago.
fn used(folder: &Folder, known: &mut Vec<PathBuf>, ago: Duration) {
    let new = folder
        .stored()
        .into_iter()
        .find(|file| !known.contains(file));
    let new = new.unwrap();
    let file = File::open(&new).unwrap();
    file.set_modified(SystemTime::now() - ago).unwrap();
    known.push(new);
}

#[test]
fn what_was_not_used_for_longest_makes_room() {
    let folder = Folder::new();
    let stored = folder.store();
    let mut known = Vec::new();
    // Eight fit.
    for number in 0..8 {
        assert!(store(&stored, number, &body(120_000, 1), MIB), "{number}");
        let ago = Duration::from_secs(1000 - 100 * number as u64);
        used(&folder, &mut known, ago);
    }
    assert!(find(&stored, 0).is_some(), "which is a use");
    assert!(store(&stored, 8, &body(120_000, 1), MIB));
    assert!(folder.taken() <= MIB);
    let found: Vec<usize> = (0..9)
        .filter(|number| find(&stored, *number).is_some())
        .collect();
    assert!(found.contains(&0) && found.contains(&8), "{found:?}");
    assert!(!found.contains(&1), "{found:?}");
    assert!(
        found.len() >= 5,
        "no more goes than is necessary: {found:?}"
    );
}

#[test]
fn all_files_together_never_exceed_the_bound() {
    let folder = Folder::new();
    let stored = folder.store();
    for number in 0..60 {
        store(&stored, number, &body(1000 * number, 1), MIB);
        let on_disk: u64 = folder
            .stored()
            .iter()
            .map(|file| file.metadata().unwrap().len())
            .sum();
        assert!(
            on_disk <= folder.taken() && folder.taken() <= MIB,
            "{number}"
        );
    }
}

#[test]
fn what_is_too_large_is_not_stored_and_displaces_nothing() {
    let folder = Folder::new();
    let stored = folder.store();
    assert!(store(&stored, 0, &body(100_000, 1), MIB));
    assert!(
        !store(&stored, 1, &body(140_000, 1), MIB),
        "an eighth is the most"
    );
    assert!(find(&stored, 0).is_some() && find(&stored, 1).is_none());
    assert_eq!(folder.unfinished(), 0);
}

#[test]
fn a_lost_count_is_made_again() {
    let folder = Folder::new();
    let stored = folder.store();
    assert!(store(&stored, 0, &body(100_000, 1), MIB));
    let taken = folder.taken();
    for damaged in [&b""[..], b"short", b"longer than a number"] {
        fs::write(folder.0.join("size"), damaged).unwrap();
        assert!(store(&stored, 0, &body(100_000, 1), MIB));
        assert_eq!(folder.taken(), taken);
    }
}

#[test]
fn what_a_dead_process_left_goes_and_what_is_being_written_stays() {
    let folder = Folder::new();
    let stored = folder.store();
    let mut alive = begin(&stored, 0, 100 * MIB);
    assert!(alive.write(b"written "));
    let orphan = folder
        .0
        .join("unfinished")
        .join(format!("{SERVER}.0123456789abcdef"));
    fs::write(&orphan, b"half").unwrap();
    let just_begun = orphan.with_extension("begun");
    fs::write(&just_begun, b"half").unwrap();
    let long_ago = SystemTime::now() - Duration::from_secs(600);
    File::open(&orphan).unwrap().set_modified(long_ago).unwrap();
    assert!(store(&folder.store(), 1, b"x", 100 * MIB));
    assert!(!orphan.exists());
    assert!(just_begun.exists(), "its writer may be about to lock it");
    assert!(alive.write(b"whole") && alive.finish());
    assert_eq!(find(&stored, 0).unwrap(), b"written whole");
}

#[test]
fn what_nobody_used_for_a_week_goes_once_a_day() {
    let folder = Folder::new();
    let mut known = Vec::new();
    for number in 0..2 {
        assert!(store(&folder.store(), number, b"x", 100 * MIB));
        used(
            &folder,
            &mut known,
            Duration::from_secs(8 * 86400 * number as u64),
        );
    }
    let open = |store: &Store| find(store, 99);
    open(&folder.store());
    assert_eq!(folder.stored().len(), 2, "it was looked for today");
    let mark = File::open(folder.0.join("swept")).unwrap();
    mark.set_modified(SystemTime::now() - Duration::from_secs(2 * 86400))
        .unwrap();
    open(&folder.store());
    assert_eq!(folder.stored(), [known[0].clone()]);
}

#[test]
fn clearing_takes_one_server_or_all() {
    let folder = Folder::new();
    let stored = folder.store();
    assert_eq!(
        stored.clear(None, || {}).unwrap(),
        Cleared::default(),
        "no directory yet"
    );
    let of_another = |store: &Store| {
        let begun = store.begin("1-3", id(5), head(), space(store, MIB));
        begun.unwrap().finish()
    };
    assert!(store(&stored, 0, b"x", MIB) && store(&stored, 1, b"y", MIB) && of_another(&stored));
    let mut calls = 0;
    let cleared = stored.clear(Some(SERVER), || calls += 1).unwrap();
    assert_eq!((cleared.responses, calls), (2, 2));
    assert!(cleared.bytes > 100);
    assert_eq!((find(&stored, 0), folder.stored().len()), (None, 1));
    assert_eq!(stored.clear(None, || {}).unwrap().responses, 1);
    assert_eq!((folder.stored().len(), folder.taken()), (0, 0));
    assert!(store(&stored, 0, b"x", MIB), "it goes on");
}

#[test]
fn what_was_being_written_when_its_server_was_cleared_never_appears() {
    let folder = Folder::new();
    let store = folder.store();
    let mut recording = begin(&store, 0, MIB);
    assert!(recording.write(b"old"));
    store.clear(Some(SERVER), || {}).unwrap();
    let new = begin(&store, 1, MIB);
    assert!(!recording.finish() && new.finish());
    assert_eq!((find(&store, 0), folder.stored().len()), (None, 1));
}

#[test]
fn a_directory_that_was_removed_is_made_again() {
    let folder = Folder::new();
    let stored = folder.store();
    assert!(store(&stored, 0, b"x", MIB));
    fs::remove_dir_all(&folder.0).unwrap();
    assert_eq!(find(&stored, 0), None);
    assert!(
        stored
            .begin(SERVER, id(0), head(), space(&stored, MIB))
            .is_err()
    );
    assert!(store(&stored, 0, b"y", MIB));
    assert_eq!(find(&stored, 0).unwrap(), b"y");
}

#[test]
fn a_directory_that_cannot_be_had_is_no_error() {
    let store = Store::new(Path::new("/dev/null/cache"));
    assert_eq!(find(&store, 0), None);
    assert!(
        store
            .begin(SERVER, id(0), head(), space(&store, MIB))
            .is_err()
    );
}

#[test]
fn readers_and_writers_at_once_see_whole_responses_only() {
    let folder = Folder::new();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (1..4)
            .map(|seed| {
                let folder = &folder;
                scope.spawn(move || {
                    let stored = folder.store();
                    for _ in 0..20 {
                        store(
                            &stored,
                            0,
                            &body(90_000 + usize::from(seed), seed),
                            100 * MIB,
                        );
                    }
                })
            })
            .collect();
        for _ in 0..2 {
            scope.spawn(|| {
                let store = folder.store();
                while !done.load(Ordering::Acquire) {
                    if let Some(found) = find(&store, 0) {
                        let seed = (found.len() - 90_000) as u8;
                        assert!(found == body(found.len(), seed), "mixed up");
                    }
                }
            });
        }
        writers
            .into_iter()
            .for_each(|writer| writer.join().unwrap());
        done.store(true, Ordering::Release);
    });
    assert!(find(&folder.store(), 0).is_some());
    assert_eq!(folder.unfinished(), 0);
}
