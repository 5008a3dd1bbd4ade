//! What the allocator within gets back holds nothing, and is what it gave: an allocator that writes
//! down what it is asked for, around which the wiping one goes. Runs under Miri.

#![allow(
    unsafe_code,
    clippy::undocumented_unsafe_blocks,
    clippy::unwrap_used,
    reason = "a test allocator that passes everything on, and its blocks used by hand, each with its layout and \
              within its length, as a collection would; Miri checks it"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::RefCell;

use samsvar_wiping::Wiping;

/// What the allocator within was asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Asked {
    Block(Layout),
    ZeroedBlock(Layout),
    Back { layout: Layout, all_zero: bool },
    Reallocated,
}

/// Writes everything down, and looks into what it gets back while it is still a block.
#[derive(Default)]
struct Noting {
    asked: RefCell<Vec<Asked>>,
    is_full: bool,
}

// SAFETY: passes everything on to the system's allocator.
unsafe impl GlobalAlloc for Noting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.asked.borrow_mut().push(Asked::Block(layout));
        if self.is_full {
            return std::ptr::null_mut();
        }
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        self.asked.borrow_mut().push(Asked::ZeroedBlock(layout));
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let content = unsafe { std::slice::from_raw_parts(block, layout.size()) };
        let all_zero = content.iter().all(|byte| *byte == 0);
        self.asked
            .borrow_mut()
            .push(Asked::Back { layout, all_zero });
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        self.asked.borrow_mut().push(Asked::Reallocated);
        unsafe { System.realloc(block, layout, new_size) }
    }
}

/// The wiping allocator, and a way to see what the one within was asked for.
struct Rig {
    noting: &'static Noting,
    wiping: Wiping<Passing>,
}

/// A reference to an allocator is none.
struct Passing(&'static Noting);

// SAFETY: passes everything on.
unsafe impl GlobalAlloc for Passing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        unsafe { self.0.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        unsafe { self.0.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        unsafe { self.0.realloc(block, layout, new_size) }
    }
}

impl Rig {
    fn new(is_full: bool) -> Self {
        let noting: &'static Noting = Box::leak(Box::new(Noting {
            is_full,
            ..Noting::default()
        }));
        Self {
            noting,
            wiping: Wiping::around(Passing(noting)),
        }
    }

    /// What was asked since the last time.
    fn asked(&self) -> Vec<Asked> {
        self.noting.asked.take()
    }

    /// A block full of content.
    fn full_block(&self, layout: Layout) -> *mut u8 {
        let block = unsafe { self.wiping.alloc(layout) };
        assert!(block.addr().is_multiple_of(layout.align()));
        for place in 0..layout.size() {
            unsafe { block.add(place).write(content(place)) };
        }
        block
    }
}

/// Content that is never zero and tells its place.
fn content(place: usize) -> u8 {
    u8::try_from(place % 255).unwrap() + 1
}

fn layout(bytes: usize, align: usize) -> Layout {
    Layout::from_size_align(bytes, align).unwrap()
}

/// Lengths around words and pages, alignments below and above what an allocator gives anyway. Miri
/// needs seconds for a page: it gets the short ones.
fn layouts() -> impl Iterator<Item = Layout> {
    let aligns = [1, 2, 8, 16, 64, 4096];
    let lengths = [1, 2, 7, 8, 9, 15, 16, 17, 31, 100, 255, 4095, 4096, 4097];
    let lengths_max = if cfg!(miri) { 31 } else { usize::MAX };
    let all = aligns
        .into_iter()
        .flat_map(move |align| lengths.map(|bytes| layout(bytes, align)));
    all.filter(move |layout| layout.size() <= lengths_max)
}

#[test]
fn a_freed_block_is_zero_and_goes_back_with_its_layout() {
    let rig = Rig::new(false);
    for layout in layouts() {
        let block = rig.full_block(layout);
        unsafe { rig.wiping.dealloc(block, layout) };
        let all_zero = true;
        assert_eq!(
            rig.asked(),
            [Asked::Block(layout), Asked::Back { layout, all_zero }]
        );
    }
}

/// Longer than any of [`layouts`].
const LONGER: usize = if cfg!(miri) { 100 } else { 10_000 };

#[test]
fn a_block_that_grows_or_shrinks_keeps_its_content_and_leaves_none_where_it_was() {
    let rig = Rig::new(false);
    for old in layouts() {
        for new_size in [
            1,
            old.size() / 2 + 1,
            old.size() + 1,
            old.size() * 2,
            LONGER,
        ] {
            if new_size == old.size() {
                continue;
            }
            let new = layout(new_size, old.align());
            let block = rig.full_block(old);
            let moved = unsafe { rig.wiping.realloc(block, old, new_size) };
            for place in 0..old.size().min(new_size) {
                assert_eq!(unsafe { moved.add(place).read() }, content(place));
            }
            let asked = rig.asked();
            let back = Asked::Back {
                layout: old,
                all_zero: true,
            };
            // Never by the realloc of the allocator within.
            assert_eq!(asked, [Asked::Block(old), Asked::Block(new), back]);
            for place in 0..new_size {
                unsafe { moved.add(place).write(content(place)) };
            }
            unsafe { rig.wiping.dealloc(moved, new) };
            let back = Asked::Back {
                layout: new,
                all_zero: true,
            };
            assert_eq!(rig.asked(), [back]);
        }
    }
}

#[test]
fn a_block_that_keeps_its_size_stays_where_it_is() {
    let rig = Rig::new(false);
    let layout = layout(33, 8);
    let block = rig.full_block(layout);
    assert_eq!(unsafe { rig.wiping.realloc(block, layout, 33) }, block);
    assert_eq!(unsafe { block.add(32).read() }, content(32));
    unsafe { rig.wiping.dealloc(block, layout) };
    assert_eq!(rig.asked().len(), 2);
}

#[test]
fn a_block_that_cannot_grow_is_left_as_it_is() {
    let rig = Rig::new(true);
    let layout = layout(16, 8);
    let mut own = [7_u8; 16];
    let moved = unsafe { rig.wiping.realloc(own.as_mut_ptr(), layout, 32) };
    assert!(moved.is_null());
    assert_eq!(own, [7; 16]);
    assert_eq!(rig.asked().len(), 1, "nothing was given back");
}

#[test]
fn a_block_of_zeros_is_asked_for_as_one() {
    let rig = Rig::new(false);
    let layout = layout(4097, 64);
    let block = unsafe { rig.wiping.alloc_zeroed(layout) };
    assert_eq!(unsafe { block.add(4096).read() }, 0);
    unsafe { rig.wiping.dealloc(block, layout) };
    assert_eq!(rig.asked()[0], Asked::ZeroedBlock(layout));
}

/// No collection asks for nothing; an allocator that is asked all the same must not fall.
#[test]
fn a_block_of_no_bytes_is_wiped_without_a_fall() {
    let layout = layout(0, 16);
    let wiping = Wiping::around(Nothing);
    unsafe { wiping.dealloc(std::ptr::without_provenance_mut(16), layout) };
}

/// Has nothing and takes nothing.
struct Nothing;

// SAFETY: gives no memory.
unsafe impl GlobalAlloc for Nothing {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        std::ptr::null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}
