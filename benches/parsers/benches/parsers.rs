//! A page of 1,000 rows, eight values of each: the engine's decoder beside JSON parsers.

use bench::data::Sample;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use parsers::{
    Decoder, jiter_members, serde_json_structs, serde_json_tree, simd_json_structs,
    sonic_rs_structs,
};
use std::hint::black_box;

type Parser = fn(&[u8]) -> Result<parsers::Sum, Box<dyn std::error::Error>>;

const PARSERS: [(&str, Parser); 5] = [
    ("serde_json, structs that are compiled", serde_json_structs),
    ("sonic-rs, the same structs", sonic_rs_structs),
    ("simd-json, the same structs", simd_json_structs),
    ("jiter, member by member", jiter_members),
    ("serde_json, a tree", serde_json_tree),
];

fn pages(criterion: &mut Criterion) {
    let body = Sample::new(1_000).json().into_bytes();
    let decoder = Decoder::default();
    let expected = decoder.read(&body).unwrap();
    let mut group = criterion.benchmark_group("a page of 1,000 rows");
    group.throughput(Throughput::Bytes(body.len() as u64));
    group.bench_function("the engine, columns of any table", |bencher| {
        bencher.iter(|| decoder.read(black_box(&body)).unwrap());
    });
    for (name, parse) in PARSERS {
        let found = parse(&body).unwrap();
        assert!((found.score - expected.score).abs() < 0.01, "{name}");
        assert_eq!(found.rows, 1_000, "{name}");
        assert_eq!(
            (found.numbers, found.texts, found.locked),
            (expected.numbers, expected.texts, expected.locked),
            "{name}"
        );
        group.bench_function(name, |bencher| {
            bencher.iter(|| parse(black_box(&body)).unwrap())
        });
    }
    group.finish();
}

criterion_group!(benches, pages);
criterion_main!(benches);
