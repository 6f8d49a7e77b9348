//! What a backend holds, as /proc tells: threads, descriptors, memory.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Bytes of a mebibyte.
pub const MIB: u64 = 1024 * 1024;

/// A thread that was joined is listed for a moment more: the kernel wakes the joiner before it removes the entry.
const SETTLES_WITHIN: Duration = Duration::from_secs(1);

/// A process of this machine.
#[derive(Debug, Clone)]
pub struct Process {
    folder: PathBuf,
}

/// What a process holds that the end of a query must give back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resources {
    /// The names of its threads.
    pub threads: Vec<String>,
    /// What its descriptors are open on, without the files of the data directory: PostgreSQL keeps those open for later.
    /// Sockets and pipes have no number: one that takes another's place is no more than that one was.
    pub descriptors: Vec<String>,
}

impl Process {
    /// The process with this id.
    pub fn new(pid: u32) -> Process {
        Process {
            folder: format!("/proc/{pid}").into(),
        }
    }

    /// Whether it has not ended.
    pub fn exists(&self) -> bool {
        self.folder.exists()
    }

    /// Waits until it has ended; `false` if it has not after `limit`.
    pub fn ends_within(&self, limit: Duration) -> bool {
        wait_until(limit, || !self.exists())
    }

    /// What it holds now.
    pub fn resources(&self) -> Resources {
        let threads = self.entries("task").into_iter();
        let mut threads: Vec<String> = threads
            .filter_map(|thread| fs::read_to_string(thread.join("comm")).ok())
            .map(|name| name.trim_end().to_owned())
            .collect();
        let data = self.link("cwd");
        let mut descriptors: Vec<String> = self
            .entries("fd")
            .iter()
            .filter_map(|descriptor| fs::read_link(descriptor).ok())
            .filter(|target| !target.starts_with(&data))
            .map(|target| kind_of(&target.display().to_string()))
            .collect();
        threads.sort_unstable();
        descriptors.sort_unstable();
        Resources {
            threads,
            descriptors,
        }
    }

    /// Checks that it holds what it held before.
    ///
    /// # Panics
    /// If it does not.
    pub fn assert_holds(&self, before: &Resources, when: &str) {
        if !wait_until(SETTLES_WITHIN, || self.resources() == *before) {
            let now = self.resources();
            panic!("{when}: the backend holds {now:#?}, and before it held {before:#?}");
        }
    }

    /// The file that its standard error goes to: for a backend, the server's log.
    pub fn log_file(&self) -> PathBuf {
        let target = self.link("fd/2");
        assert!(
            target.is_file(),
            "the server's log is {}: start the test cluster with its log in a file (pg_ctl -l)",
            target.display()
        );
        target
    }

    /// Bytes of memory that it has resident.
    pub fn resident(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// The most bytes of memory that it had resident since [`Process::reset_peak`].
    pub fn peak(&self) -> u64 {
        self.status("VmHWM:")
    }

    /// Makes the peak what is resident now: proc(5), /proc/pid/clear_refs.
    pub fn reset_peak(&self) {
        let file = self.folder.join("clear_refs");
        fs::write(&file, "5").unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }

    fn status(&self, name: &str) -> u64 {
        let file = self.folder.join("status");
        let text =
            fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let kibibytes =
            line.and_then(|value| value.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        kibibytes.unwrap_or_else(|| panic!("{} has no {name} in kB", file.display())) * 1024
    }

    fn entries(&self, folder: &str) -> Vec<PathBuf> {
        let folder = self.folder.join(folder);
        let entries = fs::read_dir(&folder).unwrap_or_else(|error| {
            panic!(
                "{}: {error}; run the tests as root or as the server's user",
                folder.display()
            )
        });
        entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .collect()
    }

    fn link(&self, name: &str) -> PathBuf {
        let link = self.folder.join(name);
        fs::read_link(&link).unwrap_or_else(|error| {
            panic!(
                "{}: {error}; run the tests as root or as the server's user",
                link.display()
            )
        })
    }
}

/// `socket:[4711]` as `socket`.
fn kind_of(target: &str) -> String {
    let numbered = ["socket", "pipe"]
        .into_iter()
        .find(|kind| target.starts_with(&format!("{kind}:[")));
    numbered.unwrap_or(target).to_owned()
}

fn wait_until(limit: Duration, condition: impl Fn() -> bool) -> bool {
    let until = Instant::now() + limit;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() >= until {
            return false;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn an_open_descriptor_and_a_thread_are_seen() {
        let this = Process::new(std::process::id());
        let file = fs::File::open("/dev/zero").unwrap();
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::Builder::new().name("leaked".to_owned());
        let thread = thread.spawn(move || stopped.recv()).unwrap();
        // A thread gives itself its name, some time after it was started.
        assert!(wait_until(SETTLES_WITHIN, || {
            let during = this.resources();
            during.descriptors.contains(&"/dev/zero".to_owned())
                && during.threads.contains(&"leaked".to_owned())
        }));
        drop((file, stop));
        let _ = thread.join().unwrap();
        assert!(wait_until(SETTLES_WITHIN, || {
            let after = this.resources();
            !after.descriptors.contains(&"/dev/zero".to_owned())
                && !after.threads.contains(&"leaked".to_owned())
        }));
    }

    #[test]
    fn memory_that_was_used_and_given_back_is_seen_in_the_peak() {
        let this = Process::new(std::process::id());
        this.reset_peak();
        let before = this.resident();
        drop(std::hint::black_box(vec![1u8; 100 * MIB as usize]));
        assert!(this.peak() - before > 90 * MIB);
    }
}
