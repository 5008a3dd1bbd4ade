//! The memory of another process, as the kernel shows it.

use std::fs::{self, File};
use std::ops::Range;
use std::os::unix::fs::FileExt;

use rustix::param::page_size;

use crate::needles::Needles;
use crate::places::Found;

/// Bytes read at a time.
const CHUNK: usize = 1024 * 1024;
/// An entry of the page map: bytes, and the bits that say that there is a page, in memory or in swap.
const ENTRY: usize = 8;
const PRESENT: u64 = 0b11 << 62;

/// What was looked through.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Looked {
    pub(crate) mappings: usize,
    /// In pages, as the page map says.
    pub(crate) there: usize,
    /// That could be read.
    pub(crate) bytes: usize,
}

/// Every hit in the memory that the process can write to. Pages that were never touched are none, and are
/// passed over: the allocator reserves a gigabyte of them.
pub(crate) fn search(pid: u32, needles: &Needles) -> (Vec<Found>, Looked) {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).expect("the process runs");
    let memory = File::open(format!("/proc/{pid}/mem")).expect("it is dumpable, and our own");
    let pages = File::open(format!("/proc/{pid}/pagemap")).expect("it is dumpable, and our own");
    let threads = threads(pid);
    let (mut found, mut looked) = (Vec::new(), Looked::default());
    for line in maps.lines() {
        let Some((range, name)) = writable(line) else {
            continue;
        };
        looked.mappings += 1;
        for run in present(&pages, &range) {
            looked.there += run.end - run.start;
            looked.bytes += search_run(&memory, run, needles, |at, hit| {
                let name = stack(&threads, &range, at).unwrap_or_else(|| name.clone());
                found.push(Found::new(format!("memory {at:#x} in {name}"), hit));
            });
        }
    }
    assert!(
        looked.bytes > 1_000_000 && looked.bytes >= looked.there / 100 * 99,
        "what cannot be read is not searched: {looked:?}"
    );
    (found, looked)
}

/// Every thread with its stack pointer, as far as the kernel says: not of one that runs.
fn threads(pid: u32) -> Vec<(String, usize)> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("the process runs");
    let thread = |task: fs::DirEntry| {
        let name = fs::read_to_string(task.path().join("comm")).ok()?;
        let call = fs::read_to_string(task.path().join("syscall")).ok()?;
        let pointer = call.split_ascii_whitespace().rev().nth(1)?;
        let pointer = usize::from_str_radix(pointer.strip_prefix("0x")?, 16).ok()?;
        Some((name.trim().to_owned(), pointer))
    };
    tasks.flatten().filter_map(thread).collect()
}

/// Whose stack a place in this mapping is on, and how far below its end.
fn stack(threads: &[(String, usize)], mapping: &Range<usize>, at: usize) -> Option<String> {
    let (name, pointer) = threads
        .iter()
        .find(|(_, pointer)| mapping.contains(pointer))?;
    let depth = pointer.cast_signed() - at.cast_signed();
    Some(format!("the stack of {name} ({depth} below its pointer)"))
}

fn writable(line: &str) -> Option<(Range<usize>, String)> {
    let mut words = line.split_ascii_whitespace();
    let (range, rights) = (words.next()?, words.next()?);
    let name = words.nth(3).unwrap_or("anonymous memory").to_owned();
    let (from, to) = range.split_once('-')?;
    let number = |hex| usize::from_str_radix(hex, 16).ok();
    let range = number(from)?..number(to)?;
    rights.starts_with("rw").then_some((range, name))
}

/// The parts of a mapping that have pages.
fn present(pages: &File, range: &Range<usize>) -> Vec<Range<usize>> {
    let page = page_size();
    let mut entries = vec![0; (range.end - range.start) / page * ENTRY];
    let read = pages.read_at(&mut entries, (range.start / page * ENTRY) as u64);
    assert_eq!(read.expect("the page map can be read"), entries.len());
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (place, entry) in entries.chunks_exact(ENTRY).enumerate() {
        let entry = u64::from_ne_bytes(entry.try_into().unwrap());
        if entry & PRESENT == 0 {
            continue;
        }
        let at = range.start + place * page;
        match runs.last_mut() {
            Some(last) if last.end == at => last.end += page,
            _ => runs.push(at..at + page),
        }
    }
    runs
}

/// Every hit in a run of pages; gives how many bytes could be read.
fn search_run(
    memory: &File,
    run: Range<usize>,
    needles: &Needles,
    mut found: impl FnMut(usize, crate::needles::Hit),
) -> usize {
    let mut buffer = vec![0; CHUNK + Needles::overlap()];
    let (mut from, mut looked) = (run.start, 0);
    while from < run.end {
        let bytes = (run.end - from).min(buffer.len());
        // A page may go while we look: what is not there holds nothing.
        let Ok(read) = memory.read_at(&mut buffer[..bytes], from as u64) else {
            from += page_size();
            continue;
        };
        for hit in needles.find(&buffer[..read], CHUNK) {
            found(from + hit.at, hit);
        }
        looked += CHUNK.min(read);
        from += CHUNK.min(read.max(1));
    }
    looked
}
