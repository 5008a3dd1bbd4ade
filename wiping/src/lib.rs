//! Freed memory is wiped (design 8.2; docs/adr/0017).
//!
//! [`Wiping`] goes around any other allocator and overwrites what is freed before that allocator gets
//! it back. As the global allocator it covers what no library offers a hook for: the buffers of HTTP,
//! TLS and AMQP, strings that grew and left their shorter selves behind, trees of parsed documents.
//!
//! ```
//! use std::alloc::System;
//!
//! use samsvar_wiping::Wiping;
//!
//! #[global_allocator]
//! static ALLOCATOR: Wiping<System> = Wiping::around(System);
//!
//! let mut growing = String::from("19950314");
//! growing.push_str("2383"); // moves; where it lay are zeros now
//! # assert_eq!(growing.len(), 12);
//! ```
//!
//! **What it does not cover.** Memory that is not freed: buffers that live as long as their connection
//! (closed, or rinsed, by those who hold them), and whatever is leaked. Stacks and registers: content
//! is handed on by reference or as `Bytes`, never as an array by value, and who handles it scrubs its stack. Memory that C code takes from
//! `malloc` itself: aws-lc, the one such library here, wipes what it frees. The kernel: socket
//! buffers, and pages that were swapped out (see `[process] mlockall`). And it is no protection
//! against who can read the process while content is in use.

mod switch;
mod wipe;

use std::alloc::{GlobalAlloc, Layout};

pub use switch::{is_on, switch_off};

/// An allocator that overwrites memory with zeros before it gives it back to the one within.
#[derive(Debug, Default)]
pub struct Wiping<A> {
    inner: A,
}

impl<A> Wiping<A> {
    /// Around another allocator, which may be of any kind: nothing is assumed about it but that it
    /// is one.
    pub const fn around(inner: A) -> Self {
        Self { inner }
    }
}

#[expect(unsafe_code, reason = "an allocator is unsafe to write: this is one")]
// SAFETY: every block comes from `inner` and goes back to it with the layout that it was taken with;
// a block is touched only while it is the caller's or ours, and nothing here panics or allocates
// by another way.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Wiping<A> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `alloc`, which is that of `inner`.
        unsafe { self.inner.alloc(layout) }
    }

    /// Asks the allocator within: it knows which memory is zero already, and its word is as good as
    /// without this around it.
    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as in `alloc`.
        unsafe { self.inner.alloc_zeroed(layout) }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if switch::is_on() {
            // SAFETY: the caller gives up `block`, which is allocated with this layout: so many
            // bytes are writable, and nobody else looks at them.
            unsafe { wipe::wipe(block, layout.size()) };
        }
        // SAFETY: the block came from `inner` with this layout.
        unsafe { self.inner.dealloc(block, layout) }
    }

    /// Always moves. The allocator within may move as it likes, when a block shrinks too (mimalloc
    /// does below half of it), and would leave the content where it was; that it stays in place this
    /// time cannot be known before. Nor may a block that shrank be kept here and its size
    /// not be told: it could not be given back with the layout that it was taken with.
    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if !switch::is_on() {
            // SAFETY: the caller keeps the contract of `realloc`, which is that of `inner`.
            return unsafe { self.inner.realloc(block, layout, new_size) };
        }
        if new_size == layout.size() {
            return block;
        }
        // SAFETY: the alignment is that of a layout, and the caller promises that the new size,
        // rounded up to it, does not overflow `isize`.
        let new_layout = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        // SAFETY: the caller promises that the new size is not zero.
        let moved = unsafe { self.inner.alloc(new_layout) };
        if !moved.is_null() {
            let kept = layout.size().min(new_size);
            // SAFETY: both blocks are at least so long and are different ones; the old one is given
            // up by the caller now that there is a new one.
            unsafe {
                moved.copy_from_nonoverlapping(block, kept);
                self.dealloc(block, layout);
            }
        }
        moved
    }
}
