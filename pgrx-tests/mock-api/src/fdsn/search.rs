//! Which events a request's parameters find, and in which order.

use super::events::Event;
use crate::filters::parse_time;
use crate::query::Query;
use std::cmp::Ordering;
use std::ops::RangeInclusive;

/// The most events of one answer; more are refused, not cut.
pub(crate) const MAX_EVENTS: usize = 20_000;

/// A search, as its parameters say; every bound is inclusive.
#[derive(Debug, Default)]
pub(crate) struct Search {
    pub(crate) format: Option<String>,
    pub(crate) limit: Option<usize>,
    /// Counted from 1.
    pub(crate) offset: Option<usize>,
    bounds: Vec<Bound>,
    event_type: Option<String>,
    alert_level: Option<String>,
    order: Order,
}

#[derive(Debug)]
struct Bound {
    quantity: Quantity,
    side: Side,
    value: f64,
}

#[derive(Debug, Clone, Copy)]
enum Side {
    Min,
    Max,
}

/// What a bound is about.
#[derive(Debug, Clone, Copy)]
enum Quantity {
    /// Unix milliseconds.
    Time,
    Magnitude,
    Significance,
    Felt,
    Longitude,
    Latitude,
    Depth,
}

#[derive(Debug, Clone, Copy, Default)]
enum Order {
    #[default]
    Time,
    TimeAscending,
    Magnitude,
    MagnitudeAscending,
}

const ANY: RangeInclusive<f64> = f64::NEG_INFINITY..=f64::INFINITY;

/// The parameters that are bounds: name, quantity, side, values that make sense.
const BOUNDS: [(&str, Quantity, Side, RangeInclusive<f64>); 11] = [
    ("minmagnitude", Quantity::Magnitude, Side::Min, ANY),
    ("maxmagnitude", Quantity::Magnitude, Side::Max, ANY),
    ("mindepth", Quantity::Depth, Side::Min, -100.0..=1000.0),
    ("maxdepth", Quantity::Depth, Side::Max, -100.0..=1000.0),
    ("minlatitude", Quantity::Latitude, Side::Min, -90.0..=90.0),
    ("maxlatitude", Quantity::Latitude, Side::Max, -90.0..=90.0),
    (
        "minlongitude",
        Quantity::Longitude,
        Side::Min,
        -360.0..=360.0,
    ),
    (
        "maxlongitude",
        Quantity::Longitude,
        Side::Max,
        -360.0..=360.0,
    ),
    ("minsig", Quantity::Significance, Side::Min, ANY),
    ("maxsig", Quantity::Significance, Side::Max, ANY),
    ("minfelt", Quantity::Felt, Side::Min, ANY),
];

impl Search {
    /// Reads the parameters; the error is the service's sentence about the first bad one.
    pub(crate) fn parse(query: &Query) -> Result<Search, String> {
        let mut search = Search::default();
        for (name, value) in query.pairs() {
            search.set(name, value)?;
        }
        Ok(search)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let bad = |valid: &str| format!("Bad {name} value \"{value}\". Valid values are {valid}.");
        if let Some((_, quantity, side, valid)) = BOUNDS.iter().find(|(bound, ..)| *bound == name) {
            let number = value
                .parse::<f64>()
                .ok()
                .filter(|number| number.is_finite() && valid.contains(number));
            let value = number.ok_or_else(|| match valid {
                valid if *valid == ANY => bad("numbers"),
                valid => bad(&format!("{} <= {name} <= {}", valid.start(), valid.end())),
            })?;
            self.bounds.push(Bound {
                quantity: *quantity,
                side: *side,
                value,
            });
            return Ok(());
        }
        match name {
            "format" => self.format = Some(value.to_owned()),
            "eventtype" => self.event_type = Some(value.to_owned()),
            "starttime" | "endtime" => self.set_time(name, value)?,
            "alertlevel" => match value {
                "green" | "yellow" | "orange" | "red" => self.alert_level = Some(value.to_owned()),
                _ => return Err(bad("\"green\", \"yellow\", \"orange\", \"red\"")),
            },
            "orderby" => self.order = Order::parse(value).ok_or_else(|| bad(Order::VALID))?,
            "limit" => match value.parse() {
                Ok(limit) if (1..=MAX_EVENTS).contains(&limit) => self.limit = Some(limit),
                _ => return Err(bad(&format!("1 <= limit <= {MAX_EVENTS}"))),
            },
            "offset" => match value.parse() {
                Ok(offset) if offset >= 1 => self.offset = Some(offset),
                _ => return Err(bad("offset >= 1")),
            },
            _ => return Err(format!("Unknown parameter \"{name}\".")),
        }
        Ok(())
    }

    fn set_time(&mut self, name: &str, value: &str) -> Result<(), String> {
        let bad = || format!("Bad {name} value \"{value}\". Valid values are ISO-8601 timestamps.");
        let time = parse_time(value).ok_or_else(bad)?;
        let side = if name == "starttime" {
            Side::Min
        } else {
            Side::Max
        };
        // Below 2^53 microseconds a double holds every millisecond with its fraction exactly enough: to less than a microsecond.
        let value = time.as_microsecond() as f64 / 1000.0;
        self.bounds.push(Bound {
            quantity: Quantity::Time,
            side,
            value,
        });
        Ok(())
    }

    /// How many events match, whatever `limit` and `offset` say.
    pub(crate) fn count(&self, events: &[Event]) -> usize {
        events.iter().filter(|event| self.matches(event)).count()
    }

    /// The events of the answer, in its order. Equal ones stay newest first.
    pub(crate) fn run<'a>(&self, events: &'a [Event]) -> Result<Vec<&'a Event>, String> {
        let mut found: Vec<&Event> = events.iter().filter(|event| self.matches(event)).collect();
        found.sort_by(|left, right| self.order.compare(left, right));
        let found: Vec<&Event> = found
            .into_iter()
            .skip(self.offset.unwrap_or(1) - 1)
            .collect();
        match self.limit {
            Some(limit) => Ok(found.into_iter().take(limit).collect()),
            None if found.len() > MAX_EVENTS => Err(format!(
                "{} matching events exceeds search limit of {MAX_EVENTS}. Modify the search to match fewer events.",
                found.len()
            )),
            None => Ok(found),
        }
    }

    fn matches(&self, event: &Event) -> bool {
        let within = |bound: &Bound| {
            bound
                .quantity
                .of(event)
                .is_some_and(|found| match bound.side {
                    Side::Min => found >= bound.value,
                    Side::Max => found <= bound.value,
                })
        };
        self.bounds.iter().all(within)
            && self
                .event_type
                .as_ref()
                .is_none_or(|wanted| *wanted == event.properties.kind)
            && self
                .alert_level
                .as_ref()
                .is_none_or(|wanted| event.properties.alert.as_ref() == Some(wanted))
    }
}

impl Quantity {
    fn of(self, event: &Event) -> Option<f64> {
        match self {
            Quantity::Time => Some(event.properties.time as f64),
            Quantity::Magnitude => event.properties.mag,
            Quantity::Significance => event.properties.sig,
            Quantity::Felt => event.properties.felt,
            Quantity::Longitude => event.coordinates[0],
            Quantity::Latitude => event.coordinates[1],
            Quantity::Depth => event.coordinates[2],
        }
    }
}

impl Order {
    const VALID: &str = "\"time\", \"time-asc\", \"magnitude\", \"magnitude-asc\"";

    fn parse(text: &str) -> Option<Order> {
        Some(match text {
            "time" => Order::Time,
            "time-asc" => Order::TimeAscending,
            "magnitude" => Order::Magnitude,
            "magnitude-asc" => Order::MagnitudeAscending,
            _ => return None,
        })
    }

    fn compare(self, left: &Event, right: &Event) -> Ordering {
        // An event without a magnitude comes after all others.
        let magnitudes = |missing: f64| {
            let of = |event: &Event| event.properties.mag.unwrap_or(missing);
            (of(left), of(right))
        };
        match self {
            Order::Time => right.properties.time.cmp(&left.properties.time),
            Order::TimeAscending => left.properties.time.cmp(&right.properties.time),
            Order::Magnitude => {
                let (left, right) = magnitudes(f64::NEG_INFINITY);
                right.total_cmp(&left)
            }
            Order::MagnitudeAscending => {
                let (left, right) = magnitudes(f64::INFINITY);
                left.total_cmp(&right)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::super::events::{Properties, events};
    use super::*;

    fn search(query: &str) -> Search {
        Search::parse(&Query::parse(query)).unwrap()
    }

    fn found(query: &str) -> Vec<&'static Event> {
        search(query).run(events()).unwrap()
    }

    fn refused(query: &str) -> String {
        Search::parse(&Query::parse(query)).unwrap_err()
    }

    #[test]
    fn bounds_are_inclusive_and_skip_events_without_a_value() {
        let edge = events()
            .iter()
            .find(|event| event.properties.mag == Some(3.8))
            .unwrap();
        assert!(
            found("minmagnitude=3.8&maxmagnitude=3.8")
                .iter()
                .any(|event| std::ptr::eq(*event, edge))
        );
        let felt = events()
            .iter()
            .filter(|event| event.properties.felt.is_some())
            .count();
        assert_eq!(search("minfelt=0").count(events()), felt);
        assert!(felt < events().len());
        let deep = found(
            "mindepth=100&maxdepth=200&minlatitude=0&maxlatitude=90&minlongitude=-180&maxlongitude=0&minsig=1&maxsig=600",
        );
        assert!(!deep.is_empty());
        assert!(
            deep.iter()
                .all(|event| (100.0..=200.0).contains(&event.coordinates[2].unwrap()))
        );
        assert!(
            deep.iter().all(|event| event.coordinates[0].unwrap() <= 0.0
                && event.coordinates[1].unwrap() >= 0.0)
        );
    }

    #[test]
    fn times_are_utc_with_or_without_a_zone() {
        let newest = events()[0].properties.time;
        assert_eq!(newest, 1_517_966_773_840);
        for start in [
            "2018-02-07T01:26:13.840Z",
            "2018-02-07T01:26:13.84",
            "2018-02-07T02:26:13.84%2B01:00",
        ] {
            assert_eq!(found(&format!("starttime={start}")).len(), 1, "{start}");
        }
        assert!(found("starttime=2018-02-07T01:26:13.841").is_empty());
        let day = found("starttime=2018-02-06&endtime=2018-02-07").len();
        let midnight = |time: i64| (1_517_875_200_000..=1_517_961_600_000).contains(&time);
        assert_eq!(
            day,
            events()
                .iter()
                .filter(|event| midnight(event.properties.time))
                .count()
        );
    }

    #[test]
    fn orders_are_those_of_the_service() {
        let times = |query: &str| {
            found(query)
                .iter()
                .map(|event| event.properties.time)
                .collect::<Vec<_>>()
        };
        assert!(times("").is_sorted_by(|left, right| left >= right));
        assert!(times("orderby=time-asc").is_sorted());
        let magnitudes = |query: &str| {
            found(query)
                .iter()
                .filter_map(|event| event.properties.mag)
                .collect::<Vec<_>>()
        };
        assert!(magnitudes("orderby=magnitude").is_sorted_by(|left, right| left >= right));
        assert!(magnitudes("orderby=magnitude-asc").is_sorted());
    }

    #[test]
    fn limit_and_offset_cut_a_page_that_count_ignores() {
        let page = found("limit=10&offset=11");
        assert_eq!(page.len(), 10);
        assert!(std::ptr::eq(page[0], &events()[10]));
        assert_eq!(search("limit=10&offset=11").count(events()), 1707);
        assert!(found("offset=1708").is_empty());
    }

    #[test]
    fn kinds_and_alerts_are_equal() {
        assert_eq!(found("eventtype=quarry+blast").len(), 13);
        assert_eq!(found("alertlevel=green").len(), 12);
    }

    #[test]
    fn bad_parameters_are_refused_in_the_services_words() {
        assert_eq!(refused("mag=3"), "Unknown parameter \"mag\".");
        assert_eq!(
            refused("limit=0"),
            "Bad limit value \"0\". Valid values are 1 <= limit <= 20000."
        );
        assert_eq!(
            refused("limit=20001"),
            "Bad limit value \"20001\". Valid values are 1 <= limit <= 20000."
        );
        assert_eq!(
            refused("offset=0"),
            "Bad offset value \"0\". Valid values are offset >= 1."
        );
        assert_eq!(
            refused("minlatitude=91"),
            "Bad minlatitude value \"91\". Valid values are -90 <= minlatitude <= 90."
        );
        assert_eq!(
            refused("minmagnitude=x"),
            "Bad minmagnitude value \"x\". Valid values are numbers."
        );
        assert_eq!(
            refused("starttime=today"),
            "Bad starttime value \"today\". Valid values are ISO-8601 timestamps."
        );
        assert!(refused("orderby=place").contains("time-asc"));
        assert!(refused("alertlevel=blue").contains("green"));
    }

    #[test]
    fn more_events_than_allowed_are_refused_not_cut() {
        let event = |time: i64| Event {
            text: serde_json::from_str("{}").unwrap(),
            properties: Properties {
                time,
                mag: None,
                sig: None,
                felt: None,
                alert: None,
                kind: String::new(),
            },
            coordinates: [None; 3],
        };
        let many: Vec<Event> = (0..20_001).map(event).collect();
        assert!(
            search("")
                .run(&many)
                .unwrap_err()
                .starts_with("20001 matching events exceeds search limit of 20000.")
        );
        assert_eq!(search("limit=20000").run(&many).unwrap().len(), 20_000);
        assert_eq!(search("").run(&many[1..]).unwrap().len(), 20_000);
    }
}
