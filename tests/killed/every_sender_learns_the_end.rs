//! The one test: everybody sends and fetches, the node dies as often as it is to, and in the end nothing
//! that was accepted is without an end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::deaths::{Death, How, MOMENT_MAX, Since, deaths};
use crate::draw::Draw;
use crate::figures::{Figures, Lived};
use crate::letters::{EXEMPELKOPING, FAR_AWAY, NEIGHBOUR, PROVSTAD, TREDJEBY};
use crate::lives::Lives;
use crate::mailboxes::{Around, Habit, Mailbox};
use crate::other_nodes::{OtherNode, UNWELL, WELL};
use crate::process::Process;
use crate::record::Record;
use crate::senders::{Sender, Sends};
use crate::stage::Stage;
use crate::verdict;

/// Kills when nobody says how many.
const KILLS: usize = 50;

/// How long everybody sends in the last life.
const UNDISTURBED: Duration = Duration::from_secs(2);

/// Longest wait for everything to come to its end after the last death.
const SETTLED_MAX: Duration = Duration::from_mins(1);

/// When nothing has come for so long, nothing more will: no retry and no slow node takes longer.
const QUIET: Duration = Duration::from_secs(4);

/// How long a node that has nothing to tell is watched.
const WATCHED: Duration = Duration::from_secs(3);

/// Faults that are shown.
const SHOWN_MAX: usize = 40;

const POLL: Duration = Duration::from_millis(50);

/// Everybody around the node.
struct World {
    runtime: Runtime,
    stage: Stage,
    lives: Arc<Lives>,
    record: Arc<Record>,
    /// Nobody sends anything new from now on.
    silence: CancellationToken,
    around: Around,
    /// Systems; they end when they are told to.
    systems: JoinSet<()>,
}

#[test]
fn every_accepted_message_has_an_end_however_often_the_node_is_killed() {
    let seed = number("SAMSVAR_KILL_SEED").unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().0);
    let count = number("SAMSVAR_KILLS").map_or(KILLS, |count| usize::try_from(count).unwrap());
    eprintln!("SAMSVAR_KILL_SEED={seed} SAMSVAR_KILLS={count}");
    let draw = Draw::of(seed);
    let begun = Instant::now();
    let Some(mut world) = World::begin(&draw) else {
        return;
    };
    let mut figures = Figures::default();
    let mut of_deaths = draw.about(1);
    let mut last = 1;
    for death in deaths(&mut of_deaths, count) {
        let lived = world.live(last, death, &mut of_deaths);
        figures.lives.push(lived);
        last += 1;
    }
    world.settle(last, &mut figures);
    world.nothing_is_left_to_tell(last + 1);
    figures.took = begun.elapsed();
    world.judge(&mut figures);
}

/// A number of the environment.
fn number(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{name} is a number")),
    )
}

impl World {
    /// `None` without RabbitMQ.
    fn begin(draw: &Draw) -> Option<Self> {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(2).enable_all().build().unwrap();
        let of_nodes = async { [OtherNode::with(WELL).await, OtherNode::with(UNWELL).await] };
        let [neighbour, far_away] = runtime.block_on(of_nodes);
        let stage = Stage::set(&neighbour.url(), &far_away.url())?;
        let (lives, record) = (Arc::new(Lives::new()), Arc::new(Record::new()));
        let around = Around {
            lives: Arc::clone(&lives),
            record: Arc::clone(&record),
            hurry: CancellationToken::new(),
            stop: CancellationToken::new(),
        };
        let silence = CancellationToken::new();
        for (number, node) in (10..).zip([neighbour, far_away]) {
            let behave = around.hurry.clone();
            runtime.spawn(node.run(Arc::clone(&record), draw.about(number), behave));
        }
        let mut systems = JoinSet::new();
        for (number, mailbox) in (20..).zip(mailboxes()) {
            let task = mailbox.run(around.clone(), draw.about(number));
            systems.spawn_on(task, runtime.handle());
        }
        for (number, sender) in (40..).zip(senders()) {
            let (lives, record) = (Arc::clone(&lives), Arc::clone(&record));
            let task = sender.run(lives, record, draw.about(number), silence.clone());
            systems.spawn_on(task, runtime.handle());
        }
        Some(Self {
            runtime,
            stage,
            lives,
            record,
            silence,
            around,
            systems,
        })
    }

    /// One life, up to its end and a look at what it left.
    fn live(&self, number: u32, death: Death, draw: &mut Draw) -> Lived {
        let launched = self.record.now();
        let mut node = self.stage.launch();
        let started = match death.since {
            Since::Launch => None,
            Since::Start => Some(self.start(number, &node)),
        };
        self.runtime.block_on(async {
            tokio::time::sleep(death.after).await;
            if let Some((moment, linger)) = death.upon {
                let _ = tokio::time::timeout(MOMENT_MAX, self.record.next(moment)).await;
                tokio::time::sleep(linger).await;
            }
        });
        let code = match death.how {
            How::Killed => {
                node.signal(Signal::KILL);
                None
            }
            How::Told => {
                node.signal(Signal::TERM);
                node.wait().code()
            }
        };
        let died = self.record.now();
        self.lives.end();
        let said = end(node);
        self.all_is_well(number, &said);
        if let Some(code) = code {
            assert!([0, 75].contains(&code), "life {number} ended with {code}");
        }
        if death.tear {
            self.stage
                .tear(|length| 1 + usize::try_from(draw.below(length as u64 - 1)).unwrap());
        }
        Lived {
            how: death.how,
            launched,
            started,
            died,
            left: self.stage.verify(),
        }
    }

    /// Nothing of what a life has said is an error.
    fn all_is_well(&self, number: u32, said: &str) {
        let is_bad = |line: &&str| line.contains("panicked") || line.contains("\"ERROR\"");
        for line in said.lines().filter(is_bad) {
            self.record.odd(format!("life {number} said: {line}"));
        }
    }

    /// Waits until a node is started, and tells everybody where it is.
    fn start(&self, number: u32, node: &Process) -> Duration {
        let receives = Stage::started(node);
        let started = self.record.now();
        self.lives.begin(number, &receives);
        started
    }

    /// The last life: everybody sends for a while as before, and then nobody any more; everybody fetches, until
    /// nothing comes.
    fn settle(&self, number: u32, figures: &mut Figures) {
        let launched = self.record.now();
        let mut node = self.stage.launch();
        let started = self.start(number, &node);
        self.runtime.block_on(async {
            tokio::time::sleep(UNDISTURBED).await;
            self.silence.cancel();
            self.around.hurry.cancel();
            self.quiet().await;
        });
        node.signal(Signal::TERM);
        let code = node.wait().code();
        self.lives.end();
        let died = self.record.now();
        let said = end(node);
        self.all_is_well(number, &said);
        assert_eq!(code, Some(0), "nothing was left under way: {said}");
        figures.lives.push(Lived {
            how: How::Told,
            launched,
            started: Some(started),
            died,
            left: self.stage.verify(),
        });
    }

    async fn quiet(&self) {
        let begun = Instant::now();
        let (mut last, mut since) = (self.record.arrivals(), Instant::now());
        while since.elapsed() < QUIET && begun.elapsed() < SETTLED_MAX {
            tokio::time::sleep(POLL).await;
            let now = self.record.arrivals();
            if now != last {
                (last, since) = (now, Instant::now());
            }
        }
        assert!(begun.elapsed() < SETTLED_MAX, "it does not become quiet");
    }

    /// Everything was taken and acknowledged: a further life tells nobody anything.
    fn nothing_is_left_to_tell(&mut self, number: u32) {
        let before = self.record.arrivals();
        let mut node = self.stage.launch();
        self.start(number, &node);
        self.runtime
            .block_on(async { tokio::time::sleep(WATCHED).await });
        node.signal(Signal::TERM);
        assert_eq!(node.wait().code(), Some(0));
        self.lives.end();
        self.around.stop.cancel();
        // One that fell has seen nothing since.
        let systems = std::mem::take(&mut self.systems);
        self.runtime.block_on(systems.join_all());
        let more = self.record.arrivals() - before;
        if more > 0 {
            let what = format!("a life after the last told {more} times what had ended");
            self.record.odd(what);
        }
    }

    fn judge(self, figures: &mut Figures) {
        let whole = self.stage.verify().expect("there is a ledger");
        let lines = crate::lines::read(&self.stage.ledger(), &self.record);
        figures.verified = Some(whole);
        let sent = self.record.sent().clone();
        figures.count(&sent, &lines);
        let faults = verdict::faults(&sent, &lines, &figures.lives, self.record.oddities());
        eprintln!("{figures}");
        if faults.is_empty() {
            figures.assert_worth_it();
            return self.stage.clear();
        }
        let (number, ledger) = (faults.len(), self.stage.ledger());
        let first: Vec<_> = faults.into_iter().take(SHOWN_MAX).collect();
        panic!(
            "{number} faults; the ledger is kept in {}\n{}",
            ledger.display(),
            first.join("\n")
        );
    }
}

/// Everything that a process wrote, when it is gone.
fn end(node: Process) -> String {
    let err = node.err.clone();
    node.kill();
    err.text()
}

/// Who sends.
fn senders() -> Vec<Sender> {
    use Sends::{Circular, Letter, Ping, Question, Unagreed};
    let usual = |from, sends, pause| Sender {
        from,
        sends,
        pause,
        most: usize::MAX,
        again: 15,
    };
    vec![
        usual(
            "2120009994.ekonomi",
            &[Question, Question, Question, Ping, Unagreed(PROVSTAD)],
            (10, 80),
        ),
        usual(
            "2120009994.vuxen",
            &[
                Question,
                Letter("2120009986.post"),
                Letter(NEIGHBOUR),
                Letter(FAR_AWAY),
                Circular,
            ],
            (10, 80),
        ),
        usual(
            "2120009986.ekonomi",
            &[Question, Ping, Letter(FAR_AWAY), Letter("2120009994.post")],
            (20, 150),
        ),
        usual(
            NEIGHBOUR,
            &[
                Question,
                Ping,
                Letter("2120009994.post"),
                Unagreed(PROVSTAD),
            ],
            (20, 120),
        ),
        usual(
            FAR_AWAY,
            &[Question, Ping, Letter("2120009986.post")],
            (20, 120),
        ),
        Sender {
            most: 60,
            again: 0,
            ..usual(TREDJEBY, &[Question, Ping], (300, 1_500))
        },
    ]
}

/// Who fetches, and how.
fn mailboxes() -> Vec<Mailbox> {
    let all = [
        ("2120009994.ekonomi", Habit::Prompt),
        ("2120009994.vuxen", Habit::Hesitant),
        ("2120009994.post", Habit::Prompt),
        ("2120009986.ekonomi", Habit::Lazy),
        ("2120009986.post", Habit::Hesitant),
        (PROVSTAD, Habit::Lazy),
        (EXEMPELKOPING, Habit::Lazy),
        (TREDJEBY, Habit::Never),
    ];
    let all = all.into_iter();
    all.map(|(address, habit)| Mailbox { address, habit })
        .collect()
}
