//! The log of this test process, at its most talkative. Every test here writes to it, so each one
//! helps to show that nothing of questions and answers gets into it (R-009; design 8).

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use samsvar::adapter::simulated::EXEMPELPERSONER;

/// Stands in every field of question and answer that holds text, in the tests that look for it.
pub const MARK: &str = "MARKORD-UR-INNEHALLET";

/// What the simulated authorities say and ask about everybody.
const CONTENT: [&str; 4] = [MARK, "Exempelsson", "EB-2026-004711", "exk0421"];

static LINES: AtomicUsize = AtomicUsize::new(0);
static LEAKS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Counts the lines of the log and keeps those that hold content.
#[derive(Default)]
pub struct Keeper;

impl io::Write for Keeper {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        LINES.fetch_add(1, Ordering::Relaxed);
        if holds_content(line) {
            let mut leaks = LEAKS.lock().unwrap_or_else(PoisonError::into_inner);
            leaks.push(String::from_utf8_lossy(line).into_owned());
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether a text holds anything of a question or an answer.
pub fn holds_content(text: &[u8]) -> bool {
    let persons = EXEMPELPERSONER.iter().map(|(number, _)| *number);
    let mut words = CONTENT.into_iter().chain(persons);
    words.any(|word| text.windows(word.len()).any(|at| at == word.as_bytes()))
}

/// Lines written so far.
pub fn lines() -> usize {
    LINES.load(Ordering::Relaxed)
}

/// Lines that held content.
pub fn leaks() -> Vec<String> {
    LEAKS.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
