//! What happened to the questions that are over, remembered for a while, so that an answer to one of
//! them can be told apart: late, repeated, or to a question never asked.

use std::collections::{HashMap, VecDeque};

use uuid::Uuid;

/// Questions remembered after their end, per Uppgiftslämnare.
pub const ENDED_REMEMBERED_MAX: usize = 1_024;

/// Class of an answer that nobody waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stray {
    /// The question had timed out, or its request was over.
    Late,
    /// The question had been answered.
    Repeated,
    /// No such question went to this party.
    Unknown,
}

/// How a question ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With an answer.
    Answered,
    /// Without one.
    Unanswered,
}

/// A bounded memory of ended questions; the oldest is forgotten first.
#[derive(Debug, Default)]
pub struct EndedQuestions {
    ends: HashMap<Uuid, End>,
    order: VecDeque<Uuid>,
}

impl EndedQuestions {
    /// Remembers how a question ended.
    pub fn remember(&mut self, corr_id: Uuid, end: End) {
        if self.order.len() == ENDED_REMEMBERED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.ends.remove(&oldest);
        }
        if self.ends.insert(corr_id, end).is_none() {
            self.order.push_back(corr_id);
        }
    }

    /// What an answer is that nobody waits for.
    #[must_use]
    pub fn classify(&self, corr_id: Uuid) -> Stray {
        match self.ends.get(&corr_id) {
            Some(End::Answered) => Stray::Repeated,
            Some(End::Unanswered) => Stray::Late,
            None => Stray::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_repeated_and_unknown_answers_are_told_apart_within_the_bound() {
        let mut ended = EndedQuestions::default();
        let [answered, silent, never] = [1, 2, 3].map(Uuid::from_u128);
        ended.remember(answered, End::Answered);
        ended.remember(silent, End::Unanswered);
        assert_eq!(ended.classify(answered), Stray::Repeated);
        assert_eq!(ended.classify(silent), Stray::Late);
        assert_eq!(ended.classify(never), Stray::Unknown);

        for n in 0..ENDED_REMEMBERED_MAX as u128 {
            ended.remember(Uuid::from_u128(100 + n), End::Answered);
        }
        assert_eq!(ended.classify(answered), Stray::Unknown);
        assert_eq!(ended.order.len(), ENDED_REMEMBERED_MAX);
        assert_eq!(ended.ends.len(), ENDED_REMEMBERED_MAX);
    }
}
