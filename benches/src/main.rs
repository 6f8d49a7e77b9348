//! The benchmark: `bench generate FOLDER` writes its data, `bench measure FOLDER URL REPORT` runs it.

mod latency;
mod peers;
mod place;
mod planning;
mod plot;
mod report;
mod scaling;
mod scans;
mod section;
mod turns;

use place::Place;
use section::Section;
use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["generate", folder] => Ok(bench::data::generate(Path::new(folder))?),
        ["measure", folder, url, path] => {
            let place = Place {
                folder: Path::new(folder).to_owned(),
                url: (*url).to_owned(),
            };
            place.create_tables()?;
            report::write(Path::new(path), &place.describe()?, &measure(&place)?)
        }
        _ => Err("usage: bench generate FOLDER | bench measure FOLDER URL REPORT".into()),
    }
}

fn measure(place: &Place) -> Result<Vec<Section>, Box<dyn Error>> {
    let slow = latency::SlowApi::start()?;
    Ok(vec![
        scans::full(place)?,
        peers::measure(place)?,
        scans::whole_rows(place)?,
        scans::into_a_table(place)?,
        latency::by_key(place)?,
        latency::first_query(place)?,
        latency::slow_pages(place, &slow)?,
        latency::lookups(place, &slow)?,
        planning::measure(place)?,
        scaling::measure(place)?,
    ])
}
