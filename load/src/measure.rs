//! One slice of the measurement: so many requests open at once, for so long.

use std::future::Future;
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::process::Watched;

/// Longest latency that is told apart, in microseconds.
const LATENCY_US_MAX: u64 = 60_000_000;
/// Longest wait for what is open when a slice ends: above the node's own limit.
const ANSWER_MAX: Duration = Duration::from_secs(15);
/// Significant digits of latencies.
const DIGITS: u8 = 3;

/// Anything that ends a measurement.
pub(crate) type Failed = Box<dyn std::error::Error + Send + Sync>;

/// How long a slice runs: before it is measured, and while it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) warm_up: Duration,
    pub(crate) measured: Duration,
}

/// When a slice is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    from: Instant,
    to: Instant,
}

/// The requests that one worker ended within the window.
pub(crate) struct Ended {
    latencies: Histogram<u64>,
    window: Window,
}

impl Ended {
    fn new(window: Window) -> Self {
        let latencies = Histogram::new_with_bounds(1, LATENCY_US_MAX, DIGITS)
            .expect("bounds and digits are constants that fit each other");
        Self { latencies, window }
    }

    /// Asks again and again, one request at a time, until the window closes.
    pub(crate) async fn ask_on<W>(window: Window, worker: &mut W) -> Result<Self, Failed>
    where
        W: Worker,
    {
        let mut ended = Self::new(window);
        loop {
            let begun = Instant::now();
            if begun >= ended.window.to {
                return Ok(ended);
            }
            worker.ask().await?;
            let now = Instant::now();
            if now >= ended.window.from && now < ended.window.to {
                let us = u64::try_from((now - begun).as_micros()).unwrap_or(LATENCY_US_MAX);
                ended.latencies.saturating_record(us.max(1));
            }
        }
    }
}

/// Somebody who has one request open at a time.
pub(crate) trait Worker: Send + 'static {
    /// Asks, and checks that the answer is complete.
    ///
    /// # Errors
    /// When it is not.
    fn ask(&mut self) -> impl Future<Output = Result<(), Failed>> + Send;
}

/// What one slice showed.
#[derive(Clone, Debug)]
pub(crate) struct Slice {
    /// Answered requests a second.
    pub(crate) throughput: f64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    /// Processor time a request, and largest resident memory in bytes, of each process.
    pub(crate) costs: Vec<(Duration, u64)>,
}

/// Lets these workers ask for one slice, and watches these processes meanwhile.
///
/// # Errors
/// The first answer that was not complete.
pub(crate) async fn slice<W: Worker>(
    span: Span,
    workers: Vec<W>,
    watched: &[Watched],
) -> Result<Slice, Failed> {
    let from = Instant::now() + span.warm_up;
    let window = Window {
        from,
        to: from + span.measured,
    };
    let mut asking = JoinSet::new();
    for mut worker in workers {
        asking.spawn(async move { Ended::ask_on(window, &mut worker).await });
    }
    sleep_until(window.from).await;
    let before: Vec<Duration> = watched.iter().map(|process| process.cpu()).collect();
    for process in watched {
        process.reset_peak();
    }
    sleep_until(window.to).await;
    let spent: Vec<Duration> = watched
        .iter()
        .zip(before)
        .map(|(process, before)| process.cpu().saturating_sub(before))
        .collect();
    let peaks: Vec<u64> = watched.iter().map(|process| process.peak_bytes()).collect();
    let mut all = Ended::new(window).latencies;
    let last = window.to + ANSWER_MAX;
    while let Some(ended) = timeout_at(last, asking.join_next()).await? {
        all.add(ended??.latencies)?;
    }
    Ok(conclude(&all, span.measured, &spent, peaks))
}

fn conclude(
    latencies: &Histogram<u64>,
    measured: Duration,
    spent: &[Duration],
    peaks: Vec<u64>,
) -> Slice {
    let requests = latencies.len();
    let a_request = |spent: &Duration| match u32::try_from(requests) {
        Ok(requests) if requests > 0 => *spent / requests,
        _ => Duration::ZERO,
    };
    let quantile = |q| Duration::from_micros(latencies.value_at_quantile(q));
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    let throughput = requests as f64 / measured.as_secs_f64();
    Slice {
        throughput,
        p50: quantile(0.5),
        p99: quantile(0.99),
        costs: spent.iter().map(a_request).zip(peaks).collect(),
    }
}
