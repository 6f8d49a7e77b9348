//! A plot of lines over two logarithmic axes, as SVG.

use std::fmt::Write;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 400.0;
const MARGIN: f64 = 60.0;
const COLOURS: [&str; 3] = ["#1b6ca8", "#c1440e", "#3a7d44"];

/// A line of the plot.
pub struct Line {
    /// What the legend says.
    pub name: String,
    /// Rows and seconds, all above zero.
    pub points: Vec<(f64, f64)>,
}

/// The range of an axis, in powers of ten.
struct Axis {
    from: i32,
    to: i32,
}

impl Axis {
    fn around(values: impl Iterator<Item = f64> + Clone) -> Self {
        let exponents = values.map(f64::log10);
        let lowest = exponents.clone().fold(f64::INFINITY, f64::min);
        let highest = exponents.fold(f64::NEG_INFINITY, f64::max);
        Axis {
            from: lowest.floor() as i32,
            to: highest.ceil() as i32,
        }
    }

    /// Where `value` is on the axis: 0 is its begin, 1 its end.
    fn place(&self, value: f64) -> f64 {
        (value.log10() - f64::from(self.from)) / f64::from(self.to - self.from)
    }
}

/// The plot: rows to the right, seconds upwards, and in grey what grows exactly as the rows do.
pub fn svg(lines: &[Line]) -> String {
    let points = lines.iter().flat_map(|line| &line.points);
    let across = Axis::around(points.clone().map(|point| point.0));
    let up = Axis::around(points.map(|point| point.1));
    let place = |(x, y): (f64, f64)| {
        (
            MARGIN + across.place(x) * (WIDTH - 2.0 * MARGIN),
            HEIGHT - MARGIN - up.place(y) * (HEIGHT - 2.0 * MARGIN),
        )
    };
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    grid(&mut text, &across, &up, place);
    for (index, line) in lines.iter().enumerate() {
        let colour = COLOURS[index % COLOURS.len()];
        if let Some((x, y)) = line.points.last() {
            let begin = 10f64.powi(up.from) * x / y;
            let begin = begin.max(10f64.powi(across.from));
            polyline(
                &mut text,
                &[(begin, y * begin / x), (*x, *y)],
                "#bbb",
                place,
            );
        }
        polyline(&mut text, &line.points, colour, place);
        for point in &line.points {
            let (x, y) = place(*point);
            let _ = writeln!(
                text,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\" fill=\"{colour}\"/>"
            );
        }
        let y = MARGIN + 16.0 * (index as f64 + 1.0);
        label(&mut text, MARGIN + 10.0, y, "start", colour, &line.name);
    }
    label(
        &mut text,
        WIDTH / 2.0,
        HEIGHT - 15.0,
        "middle",
        "black",
        "rows",
    );
    label(&mut text, 12.0, MARGIN - 20.0, "start", "black", "seconds");
    text.push_str("</svg>\n");
    text
}

fn grid(text: &mut String, across: &Axis, up: &Axis, place: impl Fn((f64, f64)) -> (f64, f64)) {
    let (left, bottom) = (10f64.powi(across.from), 10f64.powi(up.from));
    let (right, top) = (10f64.powi(across.to), 10f64.powi(up.to));
    for exponent in across.from..=across.to {
        let x = 10f64.powi(exponent);
        polyline(text, &[(x, bottom), (x, top)], "#eee", &place);
        let (x, y) = place((x, bottom));
        label(text, x, y + 16.0, "middle", "black", &tick(exponent));
    }
    for exponent in up.from..=up.to {
        let y = 10f64.powi(exponent);
        polyline(text, &[(left, y), (right, y)], "#eee", &place);
        let (x, y) = place((left, y));
        label(text, x - 6.0, y + 4.0, "end", "black", &tick(exponent));
    }
}

fn tick(exponent: i32) -> String {
    match exponent {
        0.. => format!("{:.0}", 10f64.powi(exponent)),
        _ => format!(
            "{:.*}",
            exponent.unsigned_abs() as usize,
            10f64.powi(exponent)
        ),
    }
}

fn polyline(
    text: &mut String,
    points: &[(f64, f64)],
    colour: &str,
    place: impl Fn((f64, f64)) -> (f64, f64),
) {
    let points: Vec<String> = points
        .iter()
        .map(|point| place(*point))
        .map(|(x, y)| format!("{x:.1},{y:.1}"))
        .collect();
    let _ = writeln!(
        text,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"/>",
        points.join(" ")
    );
}

fn label(text: &mut String, x: f64, y: f64, anchor: &str, colour: &str, words: &str) {
    let _ = writeln!(
        text,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{colour}\">{words}</text>"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plot_has_a_point_for_each_measurement_within_its_frame() {
        let line = Line {
            name: "rows".to_owned(),
            points: vec![(10.0, 0.01), (1_000.0, 0.5), (100_000.0, 50.0)],
        };
        let text = svg(&[line]);
        assert_eq!(text.matches("<circle").count(), 3);
        let within = |name: &str, most: f64| {
            text.split(&format!("{name}=\""))
                .skip(1)
                .filter_map(|rest| rest.split('"').next()?.parse::<f64>().ok())
                .all(|value| (0.0..=most).contains(&value))
        };
        assert!(within("cx", WIDTH) && within("cy", HEIGHT), "{text}");
    }
}
