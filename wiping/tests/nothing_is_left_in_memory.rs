//! The whole way, as the kernel sees it: content is put into memory that is then freed, and the
//! process's own memory is searched. Switched off, the same search finds it: so it can find it.
//!
//! The allocator within is the system's on purpose: the compiler knows its `free`, and would leave
//! the zeros out as dead stores if nothing held them (this crate is optimised in every profile).

#![cfg(all(target_os = "linux", not(miri)))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::alloc::System;
use std::collections::HashMap;
use std::fs::{self, File};
use std::hint::black_box;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use samsvar_wiping::{Wiping, switch_off};

#[global_allocator]
static ALLOCATOR: Wiping<System> = Wiping::around(System);

/// What is searched for, each byte inverted: so that the text itself is nowhere but where the test
/// puts it.
const INVERTED: [u8; 32] = {
    let mut text = *b"spar-7f3a91c2-av-en-frigjord-rad";
    let mut place = 0;
    while place < text.len() {
        text[place] = !text[place];
        place += 1;
    }
    text
};

/// Bytes read at a time.
const CHUNK: usize = 1024 * 1024;

/// Memory that is searched through a buffer of its own, which is not searched.
struct Search {
    memory: File,
    buffer: Vec<u8>,
}

impl Search {
    fn new() -> Self {
        Self {
            memory: File::open("/proc/self/mem").unwrap(),
            buffer: vec![0; CHUNK],
        }
    }

    /// How often the text stands in memory that can be written.
    fn hits(&mut self) -> usize {
        writable()
            .into_iter()
            .map(|range| self.hits_in(range))
            .sum()
    }

    fn hits_in(&mut self, range: Range<u64>) -> usize {
        let own = self.buffer.as_ptr_range();
        let own = own.start.addr() as u64..own.end.addr() as u64;
        let mut hits = 0;
        let mut from = range.start;
        while from < range.end {
            if own.contains(&from) {
                from = own.end;
                continue;
            }
            let next_own = if from < own.start {
                own.start
            } else {
                u64::MAX
            };
            let until = range.end.min(next_own).min(from + CHUNK as u64);
            let bytes = usize::try_from(until - from).unwrap();
            let Ok(read) = self.memory.read_at(&mut self.buffer[..bytes], from) else {
                break;
            };
            if read == 0 {
                break;
            }
            hits += count(&self.buffer[..read]);
            let overlap = if until == range.end || until == next_own {
                0
            } else {
                INVERTED.len() - 1
            };
            from += (read - overlap.min(read - 1)) as u64;
        }
        hits
    }
}

fn count(memory: &[u8]) -> usize {
    let inverted = black_box(&INVERTED);
    let is_one = |window: &&[u8]| {
        window
            .iter()
            .zip(inverted)
            .all(|(one, other)| *one == !*other)
    };
    memory.windows(inverted.len()).filter(is_one).count()
}

/// The address ranges that this process can write to.
fn writable() -> Vec<Range<u64>> {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let ranges = maps.lines().filter_map(|line| {
        let mut words = line.split_ascii_whitespace();
        let (range, rights) = (words.next()?, words.next()?);
        let (from, to) = range.split_once('-')?;
        let number = |hex| u64::from_str_radix(hex, 16).ok();
        rights
            .starts_with("rw")
            .then_some(number(from)?..number(to)?)
    });
    ranges.collect()
}

/// Content as a node has it: many small pieces, some that grow, a large one, and maps that are made
/// anew. All freed when this returns but the list, which the caller drops.
fn fill() -> Vec<Vec<u8>> {
    let inverted = black_box(&INVERTED);
    let mut pieces = Vec::new();
    let mut known = HashMap::new();
    for number in 0..200_usize {
        // Byte by byte: a text on the stack would be found as well, and nobody wipes stacks.
        let mut piece = Vec::new();
        for _ in 0..=number % 40 {
            for byte in inverted {
                piece.push(!*byte);
            }
        }
        known.insert(number, piece.clone());
        pieces.push(piece);
    }
    let mut large = Vec::with_capacity(300_000);
    while large.len() < 300_000 {
        large.push(!inverted[large.len() % inverted.len()]);
    }
    large.shrink_to(1000);
    pieces.push(large);
    black_box(&known);
    pieces
}

#[test]
fn what_was_freed_is_not_in_memory_and_would_be_without_the_wipe() {
    let mut search = Search::new();
    assert_eq!(search.hits(), 0, "the search finds itself");
    let pieces = fill();
    assert!(search.hits() > 1_000, "content in use is found");
    drop(pieces);
    assert_eq!(search.hits(), 0, "freed memory holds content");

    switch_off();
    drop(fill());
    assert!(search.hits() > 0, "the search finds what is left behind");
}
