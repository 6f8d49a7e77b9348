//! What the program `mock-api` does when it is run.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use mock_api::client::Client;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

#[test]
fn it_says_where_it_listens_on_its_output_and_in_a_file() {
    let file = std::env::temp_dir().join(format!("mock-api-port-{}", std::process::id()));
    let mut program = Command::new(env!("CARGO_BIN_EXE_mock-api"));
    let program = program
        .arg("--port-file")
        .arg(&file)
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut child = program.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let url = line
        .trim_end()
        .strip_prefix("mock API listening on ")
        .expect("the line names the URL");
    let port = std::fs::read_to_string(&file).unwrap();
    assert_eq!(url, format!("http://127.0.0.1:{port}"));
    assert_eq!(Client::new(url).info().url, url);
    child.kill().unwrap();
    child.wait().unwrap();
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn it_refuses_what_it_does_not_know() {
    let run = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_mock-api"))
            .args(arguments)
            .output()
            .unwrap()
    };
    for (arguments, message) in [
        (vec!["--prot", "1"], "unknown argument --prot"),
        (vec!["--port"], "--port needs a value"),
    ] {
        let output = run(&arguments);
        assert!(!output.status.success());
        assert!(String::from_utf8(output.stderr).unwrap().contains(message));
    }
}
