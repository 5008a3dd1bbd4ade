//! When and how the node dies: drawn from the seed.

use std::time::Duration;

use crate::draw::Draw;
use crate::record::Moment;

/// What a death is counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// The process was launched: it may not even listen.
    Launch,
    /// The node has said that it is started.
    Start,
}

/// How a node dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// SIGKILL.
    Killed,
    /// SIGTERM, and a drain time that is too short for everything.
    Told,
}

/// One death.
#[derive(Clone, Copy, Debug)]
pub struct Death {
    pub since: Since,
    pub after: Duration,
    /// Then it is waited for this, and a little longer: so the node dies around that very moment.
    pub upon: Option<(Moment, Duration)>,
    pub how: How,
    /// Whether the ledger has a piece of a line at its end afterwards, as a write that was cut short
    /// leaves it: SIGKILL alone hardly ever does.
    pub tear: bool,
}

/// Longest wait for the moment of a death.
pub const MOMENT_MAX: Duration = Duration::from_secs(1);

/// Kills that are many.
const MANY: usize = 6;

/// Longest time after a moment at which a node dies: enough for a note to come to disk, or not.
const LINGER_MAX_US: u64 = 8_000;

/// So many kills; when they are many, two orders to stop among them.
pub fn deaths(draw: &mut Draw, kills: usize) -> Vec<Death> {
    let mut deaths: Vec<_> = (0..kills).map(|_| killed(draw)).collect();
    if kills >= MANY {
        for place in [kills / 3, 2 * kills / 3] {
            deaths.insert(place, told(draw));
        }
    }
    deaths
}

fn told(draw: &mut Draw) -> Death {
    Death {
        since: Since::Start,
        after: draw.ms(500, 1500),
        upon: None,
        how: How::Told,
        tear: false,
    }
}

fn killed(draw: &mut Draw) -> Death {
    let (since, after, upon) = match draw.below(100) {
        // In the middle of its work.
        0..35 => (Since::Start, draw.ms(300, 2500), None),
        // Just when something was answered: its note may not be on disk.
        35..60 => {
            let moment = *draw.pick(&Moment::ALL);
            let most = *draw.pick(&[1, LINGER_MAX_US]);
            let linger = Duration::from_micros(draw.below(most));
            (Since::Start, draw.ms(200, 1500), Some((moment, linger)))
        }
        // While it still tells what its last death cost.
        60..88 => (Since::Start, draw.ms(0, 250), None),
        // While it starts, or before anybody knows that it has.
        _ => {
            let most = *draw.pick(&[60, 500]);
            (Since::Launch, draw.ms(0, most), None)
        }
    };
    Death {
        since,
        after,
        upon,
        how: How::Killed,
        tear: draw.percent(25),
    }
}
