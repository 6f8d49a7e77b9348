//! What a scenario answers to a request, without a connection between them.

use crate::answer::{Incoming, respond};
use crate::request::{Request, RequestHead};
use crate::routes::Routes;
use crate::scenario::ScenarioSpec;

/// A scenario that is asked in this process.
#[derive(Debug)]
pub struct Direct(Routes);

impl Direct {
    /// Reads a scenario, which the crate's documentation describes.
    ///
    /// # Errors
    /// The scenario is refused.
    pub fn new(scenario: &str) -> Result<Direct, String> {
        let spec = ScenarioSpec::parse(scenario.as_bytes())?;
        Routes::new(spec, &Default::default()).map(Direct)
    }

    /// The status and the body of the response. Faults do not happen.
    ///
    /// # Errors
    /// The response cannot be written.
    pub fn ask(&self, head: &RequestHead) -> std::io::Result<(u16, Vec<u8>)> {
        let request = Request {
            body: head.body.clone().into_bytes(),
            head: head.clone(),
            keep_alive: true,
        };
        let incoming = Incoming {
            request,
            prefix: String::new(),
            origin: "http://127.0.0.1".to_owned(),
        };
        let wire = respond(&self.0, incoming)?.wire;
        let status = wire
            .bytes
            .get(9..12)
            .and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        Ok((
            status.unwrap_or_default(),
            wire.bytes[wire.body_at..].to_vec(),
        ))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_scenario_answers_in_the_same_process() {
        let route = r#"{"rows": [{"id": 1}, {"id": 2}], "filters": [{"param": "id"}]}"#;
        let direct = Direct::new(&format!(r#"{{"routes": {{"/items": {route}}}}}"#)).unwrap();
        let ask = |target: &str| {
            let head = RequestHead {
                method: "GET".to_owned(),
                target: target.to_owned(),
                headers: Vec::new(),
                body: String::new(),
            };
            let (status, body) = direct.ask(&head).unwrap();
            (status, String::from_utf8(body).unwrap())
        };
        assert_eq!(ask("/items?id=2"), (200, r#"[{"id": 2}]"#.to_owned()));
        assert_eq!(ask("/other").0, 404);
    }
}
