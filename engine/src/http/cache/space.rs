//! How many bytes a cache takes, agreed on by all processes, and what goes when they are too many.

use super::layout::{Layout, entries};
use crate::http::CancelToken;
use std::collections::BTreeMap;
use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// What a file takes of a disk at least.
const BLOCK: u64 = 4 << 10;
/// What an unfinished file takes in advance.
pub(super) const STEP: u64 = 256 << 10;
/// The part of the bound that one file may take.
const LARGEST: u64 = 8;
/// How long the lock is waited for. Who holds it for longer is making room.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(1);
/// What was not used for so long goes in any case.
const UNUSED: Duration = Duration::from_secs(7 * 86400);
/// How often such files are looked for.
const SWEEPS_EVERY: Duration = Duration::from_secs(86400);

/// What a file of this length counts for.
pub(super) fn charge(length: u64) -> u64 {
    length.div_ceil(BLOCK).max(1) * BLOCK
}

/// The room that a cache has. What it takes stands in a file, which is locked by whoever changes it. Where a process
/// ends before it gave bytes back, too many count until room is made the next time, never too few.
#[derive(Debug, Clone)]
pub(super) struct Space {
    pub(super) layout: Layout,
    /// Bytes of all files together.
    pub(super) bound: u64,
    /// Whoever waits for the lock, or makes room, stops when this is cancelled.
    pub(super) cancel: CancelToken,
    /// How long the lock is waited for.
    pub(super) patience: Duration,
}

impl Space {
    /// Bytes that one file may have.
    pub(super) fn longest(&self) -> u64 {
        self.bound / LARGEST
    }

    /// Takes so many bytes, and makes room for them if need be. False where that cannot be.
    pub(super) fn reserve(&self, bytes: u64) -> bool {
        let fits = |taken: &u64| {
            taken
                .checked_add(bytes)
                .is_some_and(|all| all <= self.bound)
        };
        let Some(mut ledger) = self.lock() else {
            return false;
        };
        let taken = ledger.taken.filter(fits);
        let taken = taken.or_else(|| {
            let left = self.evict((self.bound / 4 * 3).saturating_sub(bytes))?;
            ledger.write(left).then_some(left)
        });
        taken
            .filter(fits)
            .is_some_and(|taken| ledger.write(taken + bytes))
    }

    /// Gives bytes back.
    pub(super) fn release(&self, bytes: u64) {
        if let Some(mut ledger) = self.lock() {
            ledger.subtract(bytes);
        }
    }

    /// Puts a file in its place, for which `reserved` bytes were taken and which counts for `charged`, not more.
    pub(super) fn settle(
        &self,
        from: &Path,
        to: &Path,
        reserved: u64,
        charged: u64,
    ) -> io::Result<()> {
        let mut ledger = self
            .lock()
            .ok_or_else(|| io::Error::from(io::ErrorKind::WouldBlock))?;
        let replaced = fs::metadata(to).map_or(0, |before| charge(before.len()));
        fs::rename(from, to)?;
        ledger.subtract((reserved + replaced).saturating_sub(charged));
        Ok(())
    }

    /// Removes a file.
    pub(super) fn remove(&self, file: &Path) {
        let Some(mut ledger) = self.lock() else {
            return;
        };
        let length = fs::metadata(file).map(|before| before.len());
        if let (Ok(length), Ok(())) = (length, fs::remove_file(file)) {
            ledger.subtract(charge(length));
        }
    }

    /// Removes what was not used for a week, once a day.
    pub(super) fn sweep(&self) {
        let mark = self.layout.swept();
        let last = fs::metadata(&mark).and_then(|mark| mark.modified());
        let age = last.map(|last| last.elapsed().unwrap_or_default());
        if age.is_ok_and(|age| age < SWEEPS_EVERY) {
            return;
        }
        let Some(mut ledger) = self.lock() else {
            return;
        };
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let marked = options
            .open(&mark)
            .and_then(|mut mark| mark.write_all(b"\n"));
        if let (Ok(()), Some(left)) = (marked, self.evict(self.bound)) {
            ledger.write(left);
        }
    }

    /// Removes what was not used for longest, until everything takes `target` bytes at most, and what was not used for
    /// a week. Returns what is left; `None` where that was cancelled.
    fn evict(&self, target: u64) -> Option<u64> {
        let now = SystemTime::now();
        let survey = self.survey(now)?;
        let mut left = survey.bytes;
        let oldest = survey.oldest_within(target);
        self.for_each_entry(|file, found| {
            let age = Age::of(found, now);
            let must_go = age > oldest || (age == oldest && left > target);
            if (must_go || age >= Age::from(UNUSED)) && fs::remove_file(file).is_ok() {
                left = left.saturating_sub(charge(found.len()));
            }
        })?;
        for (server, _) in entries(&self.layout.servers()) {
            // Fails where something is in it.
            let _ = fs::remove_dir(server);
        }
        Some(left)
    }

    fn survey(&self, now: SystemTime) -> Option<Survey> {
        let mut survey = Survey::default();
        self.for_each_entry(|_, found| {
            let bytes = charge(found.len());
            survey.bytes += bytes;
            *survey.by_age.entry(Age::of(found, now)).or_default() += bytes;
        })?;
        // Each has taken its next step in advance.
        let unfinished = entries(&self.layout.unfinished());
        survey.bytes += unfinished
            .map(|(_, found)| ((found.len() / STEP + 1) * STEP).min(charge(self.longest())))
            .sum::<u64>();
        Some(survey)
    }

    /// `None`: cancelled on the way.
    fn for_each_entry(&self, mut each: impl FnMut(&Path, &Metadata)) -> Option<()> {
        for (server, _) in entries(&self.layout.servers()) {
            for (file, found) in entries(&server) {
                if self.cancel.is_cancelled() {
                    return None;
                }
                each(&file, &found);
            }
        }
        Some(())
    }

    fn lock(&self) -> Option<Ledger> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.mode(0o600).open(self.layout.size()).ok()?;
        let mut waited = Duration::ZERO;
        loop {
            match file.try_lock() {
                Ok(()) => return Some(Ledger::read(file)),
                Err(TryLockError::WouldBlock) if waited < self.patience => {
                    self.cancel.sleep(PAUSE).ok()?;
                    waited += PAUSE;
                }
                Err(_) => return None,
            }
        }
    }
}

/// The bytes that are taken, locked as long as this lives.
struct Ledger {
    file: File,
    /// `None`: it is not known.
    taken: Option<u64>,
}

impl Ledger {
    fn read(mut file: File) -> Ledger {
        let mut bytes = Vec::new();
        let read = Read::by_ref(&mut file).take(9).read_to_end(&mut bytes);
        let number = bytes.try_into().map(u64::from_le_bytes);
        let taken = read.ok().and(number.ok());
        Ledger { file, taken }
    }

    fn subtract(&mut self, bytes: u64) {
        if let Some(taken) = self.taken {
            self.write(taken.saturating_sub(bytes));
        }
    }

    fn write(&mut self, taken: u64) -> bool {
        let at_start = self.file.seek(SeekFrom::Start(0));
        let written = at_start
            .and_then(|_| self.file.write_all(&taken.to_le_bytes()))
            .and_then(|()| match self.taken {
                Some(_) => Ok(()),
                None => self.file.set_len(size_of_val(&taken) as u64),
            });
        self.taken = Some(taken);
        written.is_ok()
    }
}

/// How long ago a file was used, in steps of some percent: so a count of each needs little memory however many files
/// there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Age(u32);

impl Age {
    fn of(found: &Metadata, now: SystemTime) -> Age {
        let used = found.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        Age::from(now.duration_since(used).unwrap_or_default())
    }
}

impl From<Duration> for Age {
    fn from(duration: Duration) -> Age {
        let milliseconds = duration.as_secs_f64() * 1000.0;
        Age(((milliseconds + 1.0).log2() * 16.0) as u32)
    }
}

/// What there is.
#[derive(Debug, Default)]
struct Survey {
    /// All of it.
    bytes: u64,
    /// Stored responses.
    by_age: BTreeMap<Age, u64>,
}

impl Survey {
    /// The age at which everything that is younger takes `target` bytes at most, and with it perhaps more.
    fn oldest_within(&self, target: u64) -> Age {
        let stored: u64 = self.by_age.values().sum();
        let mut taken = self.bytes - stored;
        for (age, bytes) in &self.by_age {
            taken += bytes;
            if taken > target {
                return *age;
            }
        }
        Age(u32::MAX)
    }
}
