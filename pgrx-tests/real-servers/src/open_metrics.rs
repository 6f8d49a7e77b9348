//! How are samples written for `promtool tsdb create-blocks-from openmetrics`?

use std::fmt::Write;

/// Samples of metrics, in the text format OpenMetrics 1.0.
#[derive(Debug, Clone, Default)]
pub struct OpenMetrics(String);

impl OpenMetrics {
    /// No sample.
    pub fn new() -> OpenMetrics {
        OpenMetrics::default()
    }

    /// Adds a metric and its samples: labels, value, seconds since 1970. All samples of a metric must be added at once,
    /// and those of a series in the order of their times.
    pub fn metric<'a>(
        &mut self,
        name: &str,
        samples: impl IntoIterator<Item = (Vec<(&'a str, &'a str)>, f64, f64)>,
    ) {
        let _ = writeln!(self.0, "# TYPE {name} gauge");
        for (labels, value, at) in samples {
            let labels = labels
                .iter()
                .map(|(label, value)| format!("{label}=\"{}\"", escaped(value)));
            let labels: Vec<String> = labels.collect();
            let _ = writeln!(self.0, "{name}{{{}}} {value} {at}", labels.join(","));
        }
    }

    /// Whether there is no metric.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The whole text.
    pub fn text(&self) -> String {
        format!("{}# EOF\n", self.0)
    }
}

/// OpenMetrics 1.0, "ABNF": a backslash, a quote and a line feed are escaped, and nothing else is.
fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped_and_samples_have_times() {
        let mut metrics = OpenMetrics::new();
        metrics.metric("up", [(vec![("a", "x\"\\\ny"), ("b", "ß")], 1.5, 60.0)]);
        assert_eq!(
            metrics.text(),
            "# TYPE up gauge\nup{a=\"x\\\"\\\\\\ny\",b=\"ß\"} 1.5 60\n# EOF\n"
        );
    }
}
