//! The report: Markdown of what was measured, and the pictures beside it.

use crate::section::{Section, Target};
use crate::turns::Timing;
use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// What the report keeps when it is written again: notes by hand stand below this line.
const NOTES: &str = "\n## Where the time goes\n";

/// Writes docs/benchmarks.md and its pictures, and prints it.
pub fn write(
    path: &Path,
    environment: &[(&str, String)],
    sections: &[Section],
) -> Result<(), Box<dyn Error>> {
    let mut text = render(environment, sections);
    println!("{text}");
    if let Some((_, notes)) = fs::read_to_string(path)?.split_once(NOTES) {
        text.push_str(NOTES);
        text.push_str(notes);
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    for (name, svg) in sections.iter().filter_map(|section| section.plot.as_ref()) {
        fs::write(folder.join(name), svg)?;
    }
    Ok(fs::write(path, text)?)
}

fn render(environment: &[(&str, String)], sections: &[Section]) -> String {
    let mut text = String::from(INTRODUCTION);
    for (name, value) in environment {
        line(&mut text, format_args!("- {name}: {value}"));
    }
    for section in sections {
        render_section(&mut text, section);
    }
    text
}

fn render_section(text: &mut String, section: &Section) {
    line(
        text,
        format_args!("\n## {}\n\n{}", section.title, section.about),
    );
    if let Some((name, _)) = &section.plot {
        line(text, format_args!("\n![{}]({name})", section.title));
    }
    text.push_str("\n| | median | shortest | longest |\n|---|---|---|---|\n");
    for timing in &section.timings {
        let [shortest, longest] = [timing.durations.first(), timing.durations.last()]
            .map(|found| found.map_or_else(String::new, |found| shown(*found)));
        line(
            text,
            format_args!(
                "| {} | {} | {shortest} | {longest} |",
                timing.name,
                shown(timing.median())
            ),
        );
    }
    if section.comparisons.is_empty() && section.figures.is_empty() {
        return;
    }
    text.push_str("\n| measured | beside it | by medians | to reach |\n|---|---|---|---|\n");
    for comparison in &section.comparisons {
        let (measured, beside) = (
            &section.timings[comparison.measured],
            &section.timings[comparison.beside],
        );
        let (found, target) = compared(measured, beside, comparison.target);
        line(
            text,
            format_args!(
                "| {} | {} | {found} | {target} |",
                measured.name, beside.name
            ),
        );
    }
    for (what, found, target) in &section.figures {
        line(text, format_args!("| {what} | | {found} | {target} |"));
    }
}

/// What was found, and what is to be reached.
fn compared(measured: &Timing, beside: &Timing, target: Target) -> (String, String) {
    let (measured, beside) = (measured.median(), beside.median());
    match target {
        Target::Ratio(ratio) => (
            format!("{:.2} ×", measured.as_secs_f64() / beside.as_secs_f64()),
            format!("≤ {ratio} ×"),
        ),
        Target::More(more) => {
            let difference = (measured.as_secs_f64() - beside.as_secs_f64()) * 1000.0;
            (
                format!("{difference:+.2} ms"),
                format!("≤ +{} ms", more.as_millis()),
            )
        }
    }
}

fn shown(duration: Duration) -> String {
    match duration.as_secs_f64() {
        seconds if seconds < 0.1 => format!("{:.3} ms", seconds * 1000.0),
        seconds => format!("{seconds:.3} s"),
    }
}

/// Writing to a String cannot fail.
fn line(text: &mut String, arguments: std::fmt::Arguments) {
    let _ = writeln!(text, "{arguments}");
}

const INTRODUCTION: &str = "# Benchmarks

Written by `make bench`, all but its last part; run it to measure again. It generates the data with a fixed seed, serves it from nginx on
loopback (what is slow on purpose, from the mock API), starts a throwaway cluster with a release build, and runs everything that is
compared in turns, in one run: machines differ, ratios less so.

The data: 1,000,000 rows of 283 bytes of JSON (id, title, state, score, comments, locked, created_at, user {login, id, avatar_url},
labels, body) in pages, as one array of 283 MB, a text a line, and a CSV of 8 columns.

";
