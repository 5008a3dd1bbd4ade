//! What the node does with content for each request: check answers, compile them, read the
//! question and make its sub-questions.

use std::hint::black_box;

use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use shs_schemas::ssbtek::{
    Datum, Delsvar, Fordelning, Fraga, Kontrakt, Uppgiftslamnare, Utfall, compose,
};
use shs_schemas::xml::Limits;

const FRAGA: &str = include_str!("../tests/corpus/spec/fraga-alla-10.xml");
const ANSWER_BYTES: usize = 4096;
const SSBT: &str = "http://schema.forsakringskassan.se/integration/ssbt/10";

/// The first child of the inline data of a party, as the authority's own schema has it.
fn begins(ul: Uppgiftslamnare) -> &'static str {
    match ul.kod() {
        "AF" => {
            r#"<f:Fraga xmlns:f="http://api.arbetsformedlingen.se/arbetssokande/ersattningsstod/v2"/>"#
        }
        "SO" => r#"<f:OrganisationsnummerIngivare xmlns:f="http://INT014.UBPService.Schemas"/>"#,
        "TNS" => {
            r#"<f:resultat xmlns:f="http://schema.transportstyrelsen.se/ssbtek/hamtauppgifterresponder/1"/>"#
        }
        "MIV" => "<response/>",
        _ => "<svar/>",
    }
}

/// An answer of about 4 KiB: inline markup as dense as AF's, or base64.
fn answer(ul: Uppgiftslamnare) -> Bytes {
    let name = ul.element().local_name();
    let data = match ul.kod() {
        "CSN" => format!("<s:svar>{}</s:svar>", "QUJD".repeat(ANSWER_BYTES / 4)),
        "FK" | "PM" => {
            let rows = r#"{"from":"2026-01-01","belopp":11340.50},"#.repeat(70);
            let json = format!(r#"{{"x{}":[{}1]}}"#, ul.kod(), rows);
            let base64 = base64_simd::STANDARD.encode_to_string(json);
            format!("<s:lefiJsonSvar>{base64}</s:lefiJsonSvar>")
        }
        _ => {
            let row = "<a:Beslut><a:ErsattningTyp>Aktivitetsstöd</a:ErsattningTyp><a:BeslutFrom>\
                       2026-01-01</a:BeslutFrom><a:BeslutTom>2026-06-30</a:BeslutTom></a:Beslut>\n";
            begins(ul).to_owned() + &row.repeat(ANSWER_BYTES / 140)
        }
    };
    Bytes::from(format!(
        "<s:{name} xmlns:s=\"{SSBT}\" xmlns:a=\"urn:a\"><s:data>{data}</s:data></s:{name}>"
    ))
}

fn read(ul: Uppgiftslamnare, body: &Bytes) -> Delsvar {
    Delsvar::read(ul, Kontrakt::V10, body.clone(), &Limits::default()).expect("a valid answer")
}

fn check(c: &mut Criterion) {
    let mut group = c.benchmark_group("check_answer");
    for ul in [Uppgiftslamnare::AF, Uppgiftslamnare::CSN] {
        let body = answer(ul);
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(ul.kod(), |b| b.iter(|| read(ul, black_box(&body))));
    }
    group.finish();
}

fn compile(c: &mut Criterion) {
    let fraga = Fraga::read(Bytes::from(FRAGA), &Limits::default()).expect("a valid question");
    let bodies: Vec<_> = Uppgiftslamnare::all().map(|ul| (ul, answer(ul))).collect();
    let read_all = || -> Vec<(Uppgiftslamnare, Utfall)> {
        bodies
            .iter()
            .map(|(ul, body)| (*ul, read(*ul, body).into()))
            .collect()
    };
    let size: usize = bodies.iter().map(|(_, body)| body.len()).sum();
    let mut group = c.benchmark_group("eight_answers");
    group.throughput(Throughput::Bytes(size as u64));
    group.bench_function("check", |b| b.iter(read_all));
    group.bench_function("compile", |b| {
        b.iter_batched_ref(
            read_all,
            |utfall| compose(&fraga, utfall),
            BatchSize::SmallInput,
        );
    });
    group.bench_function("check_and_compile", |b| {
        b.iter(|| compose(&fraga, &read_all()));
    });
    group.finish();
}

const IDAG: Datum = Datum {
    ar: 2026,
    manad: 11,
    dag: 22,
};

fn question(c: &mut Criterion) {
    let document = Bytes::from(FRAGA);
    let limits = Limits::default();
    let mut group = c.benchmark_group("question");
    group.throughput(Throughput::Bytes(document.len() as u64));
    group.bench_function("read", |b| {
        b.iter(|| Fraga::read(black_box(document.clone()), &limits));
    });
    group.bench_function("read_and_split_in_eight", |b| {
        b.iter(|| {
            let fraga = Fraga::read(black_box(document.clone()), &limits).expect("valid");
            fraga.delfragor(&Fordelning::alla(), IDAG)
        });
    });
    group.finish();
}

criterion_group!(benches, check, compile, question);
criterion_main!(benches);
