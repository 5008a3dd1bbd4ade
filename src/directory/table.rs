//! The answers that are kept: bounded, and such that questions about actors that do not exist never
//! push out the answers about those that do.

use std::collections::{BTreeMap, HashMap};

use tokio::time::Instant;

use super::question::{Answer, Question};

/// An answer and when it came.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) answer: Answer,
    pub(super) since: Instant,
}

/// Answers by question. Those that found something and those that did not are bounded apart.
#[derive(Debug)]
pub(super) struct Table {
    something: Shelf,
    nothing: Shelf,
}

impl Table {
    pub(super) fn new(entries_max: usize) -> Self {
        Self {
            something: Shelf::new(entries_max),
            nothing: Shelf::new(entries_max),
        }
    }

    pub(super) fn get(&self, question: &Question) -> Option<&Held> {
        let something = self.something.get(question);
        something.or_else(|| self.nothing.get(question))
    }

    /// Keeps an answer in the place of the one before.
    pub(super) fn put(&mut self, question: Question, held: Held) {
        let (to, from) = if held.answer.is_something() {
            (&mut self.something, &mut self.nothing)
        } else {
            (&mut self.nothing, &mut self.something)
        };
        from.remove(&question);
        to.put(question, held);
    }

    pub(super) fn len(&self) -> usize {
        self.something.held.len() + self.nothing.held.len()
    }
}

/// A bounded number of answers; the one that was renewed longest ago leaves first.
#[derive(Debug)]
struct Shelf {
    held: HashMap<Question, (u64, Held)>,
    by_age: BTreeMap<u64, Question>,
    next: u64,
    entries_max: usize,
}

impl Shelf {
    fn new(entries_max: usize) -> Self {
        Self {
            held: HashMap::new(),
            by_age: BTreeMap::new(),
            next: 0,
            entries_max,
        }
    }

    fn get(&self, question: &Question) -> Option<&Held> {
        self.held.get(question).map(|(_, held)| held)
    }

    fn remove(&mut self, question: &Question) {
        if let Some((age, _)) = self.held.remove(question) {
            self.by_age.remove(&age);
        }
    }

    fn put(&mut self, question: Question, held: Held) {
        self.remove(&question);
        while self.held.len() >= self.entries_max {
            let Some((_, oldest)) = self.by_age.pop_first() else {
                return;
            };
            self.held.remove(&oldest);
        }
        self.next += 1;
        self.by_age.insert(self.next, question.clone());
        self.held.insert(question, (self.next, held));
    }
}

#[cfg(test)]
mod tests {
    use shs_schemas::shs::Organisationsnummer;

    use super::*;

    fn question(number: u32) -> Question {
        Question::AnyAddress(Organisationsnummer::parse(&number.to_string()).unwrap())
    }

    fn held(found: Option<&str>) -> Held {
        Held {
            answer: Answer::Address(found.map(ToOwned::to_owned)),
            since: Instant::now(),
        }
    }

    #[test]
    fn the_answer_that_was_renewed_longest_ago_leaves_first() {
        let mut table = Table::new(2);
        table.put(question(1), held(Some("a")));
        table.put(question(2), held(Some("b")));
        table.put(question(1), held(Some("c")));
        table.put(question(3), held(Some("d")));
        assert!(table.get(&question(2)).is_none());
        assert_eq!(
            table.get(&question(1)).unwrap().answer,
            held(Some("c")).answer
        );
        assert_eq!(table.len(), 2);
    }

    #[test]
    fn what_does_not_exist_pushes_out_nothing_that_does() {
        let mut table = Table::new(2);
        table.put(question(0), held(Some("a")));
        for number in 1..100 {
            table.put(question(number), held(None));
        }
        assert!(table.get(&question(0)).is_some());
        assert_eq!(table.len(), 3);
    }

    #[test]
    fn an_actor_that_leaves_the_directory_is_held_once() {
        let mut table = Table::new(2);
        table.put(question(1), held(Some("a")));
        table.put(question(1), held(None));
        assert_eq!(table.len(), 1);
        assert!(!table.get(&question(1)).unwrap().answer.is_something());
        table.put(question(1), held(Some("a")));
        assert!(table.get(&question(1)).unwrap().answer.is_something());
        assert_eq!(table.len(), 1);
    }
}
