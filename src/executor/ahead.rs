//! Look-ups of values that are known to come: made side by side, or many at once as a list.
//!
//! They are one scan of many requests, whose rows come in the order of the requests; and in that order they are needed.

use super::lookups::{Key, Recording};
use super::wait;
use crate::monitoring::WatchedScan;
use rest_engine::Result;
use rest_engine::decode::Batch;
use rest_engine::request::Inputs;
use rest_engine::scan::{Polled, Statistics};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

/// What is going to be asked for.
#[derive(Default)]
pub struct Announced {
    /// The requests of all lanes, one lane after the other.
    pub requests: Vec<Inputs>,
    lanes: Vec<Lane>,
    /// The lane that answers an execution.
    places: HashMap<Key, usize>,
}

/// The requests of one execution, or the one request of many.
struct Lane {
    /// The first of its requests.
    first: usize,
    /// It answers several executions: rows of all of them.
    is_shared: bool,
}

impl Announced {
    /// Adds the requests of one execution, unless they are there already.
    pub fn add(&mut self, key: Key, requests: Vec<Inputs>) {
        if !self.places.contains_key(&key) {
            self.places.insert(key, self.lanes.len());
            self.push(requests, false);
        }
    }

    /// Adds a request that answers several executions.
    pub fn add_shared(&mut self, keys: Vec<Key>, request: Inputs) {
        for key in keys {
            self.places.insert(key, self.lanes.len());
        }
        self.push(vec![request], true);
    }

    fn push(&mut self, requests: Vec<Inputs>, is_shared: bool) {
        self.lanes.push(Lane {
            first: self.requests.len(),
            is_shared,
        });
        self.requests.extend(requests);
    }

    /// Executions that are answered.
    pub fn len(&self) -> usize {
        self.places.len()
    }
}

/// A running scan of what was announced.
pub struct Ahead {
    announced: Announced,
    scan: WatchedScan,
    /// The first lane whose rows were not taken.
    next: usize,
    /// The first batch of a lane that nobody asked for yet.
    held: Option<Batch>,
    /// What shared lanes returned.
    shared: HashMap<usize, Rc<Recording>>,
}

/// What is known of an execution.
pub enum Answer {
    /// Its rows, and nothing else.
    Own(Recording),
    /// Its rows among others.
    Shared(Rc<Recording>),
    /// It was not announced, or its rows are more than may be kept.
    Unknown,
}

impl Ahead {
    /// Takes over a scan that was started for `announced`.
    pub fn new(announced: Announced, scan: WatchedScan) -> Self {
        Ahead {
            announced,
            scan,
            next: 0,
            held: None,
            shared: HashMap::new(),
        }
    }

    /// The rows of an execution; waits for them. `most`: bytes that may be kept. The time that it took is added to `waiting`.
    pub fn answer(&mut self, key: &Key, most: usize, waiting: &mut Duration) -> Result<Answer> {
        let Some(lane) = self.announced.places.get(key).copied() else {
            return Ok(Answer::Unknown);
        };
        if let Some(rows) = self.shared.get(&lane) {
            return Ok(Answer::Shared(Rc::clone(rows)));
        }
        if lane < self.next {
            return Ok(Answer::Unknown);
        }
        let Some(rows) = self.read(lane, most, waiting)? else {
            return Ok(Answer::Unknown);
        };
        if !self.announced.lanes[lane].is_shared {
            return Ok(Answer::Own(rows));
        }
        let rows = Rc::new(rows);
        self.keep(lane, &rows, most);
        Ok(Answer::Shared(rows))
    }

    /// Shared lanes are kept while there is room: values may repeat.
    fn keep(&mut self, lane: usize, rows: &Rc<Recording>, most: usize) {
        let kept: usize = self.shared.values().map(|rows| rows.bytes()).sum();
        if kept + rows.bytes() > most {
            self.shared.clear();
        }
        self.shared.insert(lane, Rc::clone(rows));
    }

    /// Reads the rows of a lane to their end, past those of the lanes before it; `None` where they are too many.
    fn read(
        &mut self,
        lane: usize,
        most: usize,
        waiting: &mut Duration,
    ) -> Result<Option<Recording>> {
        self.next = lane + 1;
        let mut rows = Some(Recording::default());
        while let Some(mut batch) = self.batch(waiting)? {
            let of = self.lane_of(batch.request);
            if of > lane {
                self.held = Some(batch);
                break;
            }
            if of == lane {
                batch.request -= self.announced.lanes[lane].first;
                rows = rows.and_then(|rows| rows.and(&Rc::new(batch), most));
            }
        }
        Ok(rows)
    }

    fn batch(&mut self, waiting: &mut Duration) -> Result<Option<Batch>> {
        if let Some(batch) = self.held.take() {
            return Ok(Some(batch));
        }
        loop {
            match self.scan.poll()? {
                Polled::Batch(batch) => return Ok(Some(batch)),
                Polled::Done => return Ok(None),
                Polled::Pending => *waiting += wait::wait(self.scan.wake()),
            }
        }
    }

    fn lane_of(&self, request: usize) -> usize {
        let lanes = &self.announced.lanes;
        lanes.partition_point(|lane| lane.first <= request) - 1
    }

    /// What was asked of the API.
    pub fn statistics(&self) -> Statistics {
        self.scan.statistics()
    }

    /// Cancels what is still running. What the statistics say then is final.
    pub fn stop(&mut self) {
        self.scan.stop();
    }
}
