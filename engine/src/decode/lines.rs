//! Rows of JSON Lines: a JSON value a line.

use super::lexer::{self, Expected, Stop, Why};
use super::rows::Rows;
use super::window::{Window, too_deep};
use crate::error::{Error, Result};

/// The record separator of RFC 7464, which may stand before each value.
const SEPARATOR: u8 = 0x1e;

/// Reads all lines up to the end of the body. Blank ones are left out.
pub(super) fn read(rows: &mut Rows, window: &mut Window) -> Result<()> {
    let (mut number, mut seen) = (0, 0);
    loop {
        let Some(length) = window.line(seen) else {
            seen = window.text().len();
            rows.outbox.before_wait()?;
            if !window.fill_line()? {
                return Ok(());
            }
            continue;
        };
        (number, seen) = (number + 1, 0);
        let line = &window.text()[..length];
        let start = start(line);
        if start < length {
            let value = &line[start..];
            match rows.locate(value) {
                Ok((end, kind)) if lexer::space(value, end) == value.len() => {
                    rows.take(&value[..end], kind)?;
                }
                Ok((end, _)) => {
                    let at = start + lexer::space(value, end) + 1;
                    let reason = format!(
                        "there is more after the JSON value of line {number}, at byte {at}"
                    );
                    return Err(window.body(reason));
                }
                Err(stop) => return Err(broken(window, number, start, length, stop)?),
            }
        }
        window.advance(length);
    }
}

/// Where the value of a line starts, if it has one.
fn start(line: &[u8]) -> usize {
    let mut at = lexer::space(line, 0);
    while line.get(at) == Some(&SEPARATOR) {
        at = lexer::space(line, at + 1);
    }
    at
}

/// What is wrong with a line whose value starts at `start`.
fn broken(
    window: &mut Window,
    number: u64,
    start: usize,
    length: usize,
    stop: Stop,
) -> Result<Error> {
    let at = start + stop.at;
    let reason = match stop.why {
        Why::Expected(Expected::Value) if number == 1 && stop.at == 0 => {
            window.advance(start);
            return window.not_json();
        }
        // Its own line feed may be what is wrong: nothing followed before it.
        _ if window.is_terminated() && at + 1 >= length => return Ok(window.cut_off_in(number)),
        Why::More => format!("line {number} ends within its JSON value"),
        Why::TooDeep => too_deep(&format!("line {number}, byte {}", at + 1)),
        Why::Expected(expected) => format!(
            "invalid JSON on line {number}, at byte {}: expected {}{}",
            at + 1,
            expected.text(),
            window.found(at)
        ),
    };
    Ok(window.body(reason))
}
