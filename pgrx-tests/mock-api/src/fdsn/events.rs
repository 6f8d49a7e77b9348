//! What the week's events are.

use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::LazyLock;

/// The "all week" feed as USGS published it: a work of the U.S. federal government, in the public domain.
const FEED: &str = include_str!("../../data/earthquakes.geojson");

/// An event: its text as published, and what can be searched.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) text: Box<RawValue>,
    pub(crate) properties: Properties,
    /// Degrees east, degrees north, kilometres down.
    pub(crate) coordinates: [Option<f64>; 3],
}

#[derive(Debug, Deserialize)]
pub(crate) struct Properties {
    /// Unix milliseconds.
    pub(crate) time: i64,
    pub(crate) mag: Option<f64>,
    pub(crate) sig: Option<f64>,
    pub(crate) felt: Option<f64>,
    pub(crate) alert: Option<String>,
    #[serde(rename = "type")]
    pub(crate) kind: String,
}

#[derive(Deserialize)]
struct Feed {
    features: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Feature {
    properties: Properties,
    geometry: Geometry,
}

#[derive(Deserialize)]
struct Geometry {
    coordinates: [Option<f64>; 3],
}

/// All events, newest first.
pub(crate) fn events() -> &'static [Event] {
    static EVENTS: LazyLock<Vec<Event>> = LazyLock::new(|| {
        read(FEED).unwrap_or_else(|error| panic!("data/earthquakes.geojson is not a feed: {error}"))
    });
    &EVENTS
}

fn read(feed: &str) -> serde_json::Result<Vec<Event>> {
    let feed: Feed = serde_json::from_str(feed)?;
    let event = |text: Box<RawValue>| {
        let feature: Feature = serde_json::from_str(text.get())?;
        Ok(Event {
            text,
            properties: feature.properties,
            coordinates: feature.geometry.coordinates,
        })
    };
    let mut events: Vec<Event> = feed
        .features
        .into_iter()
        .map(event)
        .collect::<serde_json::Result<_>>()?;
    events.sort_by_key(|event| std::cmp::Reverse(event.properties.time));
    Ok(events)
}

/// The smallest box around the events: the least of each coordinate, then the greatest (RFC 7946 section 5). None around none.
pub(crate) fn bounds(events: &[&Event]) -> Option<[f64; 6]> {
    let axis = |at: usize| events.iter().filter_map(move |event| event.coordinates[at]);
    let least = |at: usize| axis(at).reduce(f64::min);
    let greatest = |at: usize| axis(at).reduce(f64::max);
    Some([
        least(0)?,
        least(1)?,
        least(2)?,
        greatest(0)?,
        greatest(1)?,
        greatest(2)?,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_feed_is_whole_and_its_bounds_are_those_that_it_says() {
        let all: Vec<&Event> = events().iter().collect();
        assert_eq!(all.len(), 1707);
        assert_eq!(
            bounds(&all),
            Some([-179.6445, -65.8617, -2.79, 178.8275, 83.0422, 573.76])
        );
        assert_eq!(bounds(&[]), None);
        assert!(all[0].text.get().starts_with(
            r#"{"type":"Feature","properties":{"mag":2,"place":"4km W of Castaic, CA""#
        ));
    }
}
