//! The report: a Markdown table of what was measured.

use crate::cases::Results;
use crate::planning::Planning;
use std::fmt::Write;
use std::time::Duration;

/// The text of docs/benchmarks.md.
pub fn render(results: &Results) -> String {
    let mut text = String::from(INTRODUCTION);
    for (name, value) in &results.environment {
        line(&mut text, format_args!("- {name}: {value}"));
    }
    text.push_str("\n| query | median | shortest | longest |\n|---|---|---|---|\n");
    for timing in &results.timings {
        let seconds = |index: usize| timing.durations[index].as_secs_f64();
        let last = timing.durations.len() - 1;
        line(
            &mut text,
            format_args!(
                "| {} | {:.3} s | {:.3} s | {:.3} s |",
                timing.name,
                timing.median().as_secs_f64(),
                seconds(0),
                seconds(last)
            ),
        );
    }
    text.push_str("\n| measured | beside it | ratio of medians | to reach |\n|---|---|---|---|\n");
    for comparison in &results.comparisons {
        let (measured, beside) = (
            &results.timings[comparison.measured],
            &results.timings[comparison.beside],
        );
        let ratio = measured.median().as_secs_f64() / beside.median().as_secs_f64();
        line(
            &mut text,
            format_args!(
                "| {} | {} | {ratio:.2} | ≤ {:.1} |",
                measured.name, beside.name, comparison.target
            ),
        );
    }
    text.push_str(&planning(&results.planning));
    text
}

fn planning(of: &Planning) -> String {
    let median = |durations: &[Duration]| durations[durations.len() / 2].as_secs_f64() * 1000.0;
    let (local, foreign) = (median(&of.local), median(&of.foreign));
    let mut text = String::from(PLANNING);
    line(&mut text, format_args!("| local table | {local:.3} ms |"));
    line(
        &mut text,
        format_args!("| foreign table | {foreign:.3} ms |"),
    );
    line(
        &mut text,
        format_args!(
            "| difference, to be below 1 ms | {:.3} ms |",
            foreign - local
        ),
    );
    text
}

/// Writing to a String cannot fail.
fn line(text: &mut String, arguments: std::fmt::Arguments) {
    let _ = writeln!(text, "{arguments}");
}

const PLANNING: &str = "
Planning of a query over one table of 20 columns with 10 clauses, by EXPLAIN (SUMMARY):

| planning time | median |
|---|---|
";

const INTRODUCTION: &str = "# Benchmarks

Written by `make bench`; run it to measure again. It generates 1,000,000 rows of about 280 bytes of JSON
(1,000 pages of 1,000 rows, the same as one array, and a CSV of the 8 columns that the table has), serves
the JSON from nginx on loopback, and runs each query once a round, in turns, on a release build.

The query reads 8 typed columns: `SELECT count(*), sum(id), sum(score), max(title), max(created_at),
sum(comments), max(state), max(login)`. All answers are checked to be the same.

";
