//! What a run was, in figures.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::deaths::How;
use crate::letters::NEIGHBOUR;
use crate::lines::Line;
use crate::record::{Came, Kind, Said, Sent};
use crate::stage::Verified;
use crate::verdict::{is_both, life_at};

/// Addresses that see at once what comes to them.
const PROMPT: [&str; 3] = ["2120009994.ekonomi", "2120009994.post", NEIGHBOUR];

/// One life of the node, in time since the beginning.
#[derive(Clone, Debug)]
pub struct Lived {
    pub how: How,
    pub launched: Duration,
    /// None when it died before.
    pub started: Option<Duration>,
    pub died: Duration,
    /// The ledger that it left; none when it died before there was one.
    pub left: Option<Verified>,
}

/// All of them.
#[derive(Debug, Default)]
pub struct Figures {
    pub lives: Vec<Lived>,
    pub took: Duration,
    /// The ledger in the end.
    pub verified: Option<Verified>,
    lines: usize,
    posted: usize,
    accepted: usize,
    /// By HTTP status.
    refused: BTreeMap<u16, usize>,
    /// By lives that had not been told to stop.
    refused_unprompted: usize,
    unknown: usize,
    unreachable: usize,
    messages: BTreeMap<Kind, Outcomes>,
    /// Sent again and taken as new, and how many of these were served then.
    again: usize,
    again_served: usize,
    /// Messages whose answer broke off, and what came of them.
    unknown_ended: usize,
    /// Lay in a mailbox when the node died; and of these, had not been fetched.
    lay: usize,
    unread: usize,
    resumed: Vec<usize>,
    told: Vec<Duration>,
    start: Vec<Duration>,
    /// Of what was served and told as well: fetched, and the node died before it had answered an acknowledgement.
    not_taken: usize,
    /// From the answer to the death.
    unnoted: Vec<Duration>,
    /// The same, answered after the death.
    too_late: usize,
}

/// What became of accepted messages.
#[derive(Clone, Copy, Debug, Default)]
struct Outcomes {
    accepted: usize,
    served: usize,
    told: usize,
    both: usize,
    neither: usize,
}

impl Figures {
    /// Counts everything.
    pub fn count(&mut self, sent: &BTreeMap<String, Sent>, lines: &[Line]) {
        self.lines = lines.len();
        for one in sent.values() {
            self.count_postings(one);
            self.count_outcome(one);
            self.count_tellings(one);
        }
        self.count_mailboxes(sent, lines);
        let starts = self.lives.iter().filter_map(|lived| {
            let started = lived.started?;
            Some(started.saturating_sub(lived.launched))
        });
        self.start = starts.collect();
    }

    fn count_postings(&mut self, sent: &Sent) {
        for posting in &sent.postings {
            self.posted += 1;
            match posting.said {
                Said::Taken { .. } => self.accepted += usize::from(posting.counts()),
                Said::Refused(status) => {
                    *self.refused.entry(status).or_default() += 1;
                    let life = &self.lives.get(usize::try_from(posting.life).unwrap() - 1);
                    let was_told = life.is_none_or(|life| life.how == How::Told);
                    self.refused_unprompted += usize::from(!was_told);
                }
                Said::Nothing => self.unknown += 1,
                Said::Unreachable => self.unreachable += 1,
            }
        }
        let mut counted = sent.postings.iter().filter(|posting| posting.may_count());
        if counted.next().is_some()
            && let Some(second) = counted.find(|posting| posting.counts())
        {
            self.again += 1;
            self.again_served += usize::from(sent.is_served_since(second.began));
        }
        if sent.accepted().is_none() && sent.acceptances() > 0 {
            self.unknown_ended += usize::from(sent.has_end_since(Duration::ZERO));
        }
    }

    fn count_outcome(&mut self, sent: &Sent) {
        let Some(accepted) = sent.accepted() else {
            return;
        };
        let outcomes = self.messages.entry(sent.kind).or_default();
        outcomes.accepted += 1;
        if is_both(sent) {
            outcomes.both += 1;
            self.count_taken(sent);
        } else if sent.is_served_since(accepted.began) {
            outcomes.served += 1;
        } else if sent.has_end_since(accepted.began) {
            outcomes.told += 1;
        } else {
            outcomes.neither += 1;
        }
    }

    /// How that which was served left the node that told as well.
    fn count_taken(&mut self, sent: &Sent) {
        let taken: Vec<_> = sent
            .served()
            .flat_map(|arrival| &arrival.taken)
            .filter(|taken| taken.answered.is_some())
            .collect();
        self.not_taken += usize::from(taken.is_empty());
        for taken in taken {
            if let Some(life) = life_at(taken, &self.lives)
                && let Some(answered) = taken.answered
            {
                self.unnoted.push(self.lives[life].died.abs_diff(answered));
            } else {
                self.too_late += 1;
            }
        }
    }

    /// From the start of a life to the error about a message of an earlier one.
    fn count_tellings(&mut self, sent: &Sent) {
        let mut postings = sent.postings.iter().filter(|posting| posting.may_count());
        let Some(life) = postings.next_back().map(|posting| posting.life) else {
            return;
        };
        let errors = sent.came(Came::Error);
        for error in errors.filter(|error| PROMPT.contains(&error.to.as_str())) {
            let mut lives = (1_u32..).zip(&self.lives);
            let at = lives.find(|(_, lived)| error.first <= lived.died);
            if let Some((number, lived)) = at
                && number > life
                && let Some(started) = lived.started
            {
                self.told.push(error.first.saturating_sub(started));
            }
        }
    }

    fn count_mailboxes(&mut self, sent: &BTreeMap<String, Sent>, lines: &[Line]) {
        let arrivals = sent.values().flat_map(|sent| &sent.arrivals);
        let seen: HashMap<_, _> = arrivals
            .map(|arrival| (arrival.tx_id.as_str(), arrival.first))
            .collect();
        let mut from = 0;
        for lived in &self.lives {
            let Some(left) = &lived.left else {
                continue;
            };
            let life = lines
                .iter()
                .filter(|line| line.seq > from && line.seq <= left.last_seq);
            let of = |event: &'static str| life.clone().filter(move |line| line.event == event);
            let gone: HashSet<_> = of("kvitterat").map(|line| &line.tx_id).collect();
            let lay = of("levererat").filter(|line| {
                line.text("way") == "outbox"
                    && ["meddelande", "svar"].contains(&line.text("slag"))
                    && !gone.contains(&line.tx_id)
            });
            for line in lay {
                self.lay += 1;
                let seen = seen.get(line.tx_id.as_str());
                self.unread += usize::from(seen.is_none_or(|first| *first > lived.died));
            }
            self.resumed.push(of("aterupptaget").count());
            from = left.last_seq;
        }
    }

    /// A run in which nothing was at stake proves nothing.
    pub fn assert_worth_it(&self) {
        if self.lives.len() < 10 {
            return;
        }
        let resumed: usize = self.resumed.iter().sum();
        assert!(self.accepted > 100, "hardly anything was accepted");
        assert!(self.unread > 0, "no mailbox died unread");
        assert!(resumed > 0, "nobody was told");
        assert!(
            self.again_served > 0,
            "nothing that was sent again was served"
        );
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let killed = self.lives.iter().filter(|lived| lived.how == How::Killed);
        let early = self.lives.iter().filter(|lived| lived.started.is_none());
        let torn = |lived: &&Lived| lived.left.as_ref().is_some_and(|left| left.half_written);
        let torn = self.lives.iter().filter(torn).count();
        writeln!(
            f,
            "{} lives in {:.0} s: {} killed, {} of them before they were started; {} torn ends, {} mended",
            self.lives.len(),
            self.took.as_secs_f64(),
            killed.count(),
            early.count(),
            torn,
            self.verified.as_ref().map_or(0, |verified| verified.mended),
        )?;
        writeln!(
            f,
            "{} posted: {} accepted, refused {:?} ({} not because of a stop), {} without an answer ({} of these messages came to an end), \
             {} never left",
            self.posted,
            self.accepted,
            self.refused,
            self.refused_unprompted,
            self.unknown,
            self.unknown_ended,
            self.unreachable
        )?;
        for kind in Kind::ALL {
            let Outcomes {
                accepted,
                served,
                told,
                both,
                neither,
            } = self.messages.get(&kind).copied().unwrap_or_default();
            writeln!(
                f,
                "  {kind:?}: {accepted} accepted: {served} served, {told} told, {both} both, {neither} neither"
            )?;
        }
        writeln!(
            f,
            "{} sent again and taken as new: {} of them served then",
            self.again, self.again_served
        )?;
        writeln!(
            f,
            "{} lay in a mailbox when the node died, {} of them unread",
            self.lay, self.unread
        )?;
        let most = self.resumed.iter().max().copied().unwrap_or_default();
        writeln!(
            f,
            "{} resumed, at most {most} at one start: {:?}",
            self.resumed.iter().sum::<usize>(),
            self.resumed
        )?;
        writeln!(f, "from start to telling: {}", Spread(&self.told))?;
        writeln!(f, "from launch to start: {}", Spread(&self.start))?;
        writeln!(
            f,
            "both: {} fetched and not acknowledged, {} taken after the death, else from taken to death: {}",
            self.not_taken,
            self.too_late,
            Spread(&self.unnoted)
        )?;
        let verifying = self.lives.iter().filter_map(|lived| lived.left.as_ref());
        let verifying: Vec<_> = verifying.map(|left| left.took).collect();
        write!(
            f,
            "{} lines in the ledger; verifying: {}",
            self.lines,
            Spread(&verifying)
        )
    }
}

/// Times, as a few figures.
struct Spread<'a>(&'a [Duration]);

impl fmt::Display for Spread<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut histogram = Histogram::<u64>::new(3).unwrap();
        for time in self.0 {
            let ms = u64::try_from(time.as_millis()).unwrap();
            histogram.record(ms).unwrap();
        }
        write!(
            f,
            "{} times, p50 {} ms, p99 {} ms, max {} ms",
            self.0.len(),
            histogram.value_at_quantile(0.5),
            histogram.value_at_quantile(0.99),
            histogram.max()
        )
    }
}
