//! The benchmark: `bench generate FOLDER` writes its data, `bench measure FOLDER URL REPORT` runs it.

mod cases;
mod data;
mod planning;
mod report;

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["generate", folder] => Ok(data::generate(Path::new(folder))?),
        ["measure", folder, url, path] => {
            let results = cases::measure(Path::new(folder), url)?;
            let text = report::render(&results);
            println!("{text}");
            Ok(std::fs::write(path, text)?)
        }
        _ => Err("usage: bench generate FOLDER | bench measure FOLDER URL REPORT".into()),
    }
}
