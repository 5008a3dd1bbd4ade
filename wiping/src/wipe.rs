//! Zeros that the compiler may not leave out.
//!
//! A store to memory that is freed right afterwards is dead, and a compiler that knows the call for
//! what it is (`free` of the C library is known to LLVM by name) removes it. So the block is shown to
//! an empty piece of assembly, which for all that the compiler knows reads it. Then the store can be
//! an ordinary `memset`, by whatever is fastest on this processor: volatile writes, which keep their
//! promise as well, go word by word and take two to three times as long from 256 bytes on.
//!
//! Where there is no assembly (an interpreter, another architecture) it is volatile words.

/// Overwrites a block with zeros.
///
/// # Safety
/// `block` must be valid for writes of so many bytes, and nothing else may look at them.
#[cfg(all(
    not(miri),
    any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        target_arch = "riscv64"
    )
))]
#[expect(unsafe_code, reason = "writes to memory that somebody gave up")]
#[inline]
pub(crate) unsafe fn wipe(block: *mut u8, bytes: usize) {
    // SAFETY: the caller's promise.
    unsafe { block.write_bytes(0, bytes) };
    // SAFETY: it does nothing. Without `nomem` and `readonly` it counts as reading, and writing,
    // whatever the pointer leads to.
    unsafe {
        std::arch::asm!("/* {0} */", in(reg) block, options(nostack, preserves_flags));
    }
}

/// Overwrites a block with zeros.
///
/// # Safety
/// `block` must be valid for writes of so many bytes, and nothing else may look at them.
#[cfg(not(all(
    not(miri),
    any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        target_arch = "riscv64"
    )
)))]
#[expect(unsafe_code, reason = "writes to memory that somebody gave up")]
pub(crate) unsafe fn wipe(block: *mut u8, bytes: usize) {
    // SAFETY: the caller's promise.
    unsafe { wipe_by_word(block, bytes) };
}

/// The same by volatile writes: single bytes up to a word's alignment, words, single bytes.
///
/// # Safety
/// As [`wipe`].
#[cfg(any(
    test,
    miri,
    not(any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        target_arch = "riscv64"
    ))
))]
#[expect(unsafe_code, reason = "writes to memory that somebody gave up")]
unsafe fn wipe_by_word(block: *mut u8, bytes: usize) {
    const WORD: usize = size_of::<usize>();
    let before = block.align_offset(align_of::<usize>()).min(bytes);
    let words = (bytes - before) / WORD;
    for place in (0..before).chain(before + words * WORD..bytes) {
        // SAFETY: within the block.
        unsafe { block.add(place).write_volatile(0) };
    }
    for word in 0..words {
        // SAFETY: within the block, and aligned as a word is since `before` bytes were skipped.
        #[expect(clippy::cast_ptr_alignment, reason = "skipped to it")]
        unsafe {
            block
                .add(before + word * WORD)
                .cast::<usize>()
                .write_volatile(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(unsafe_code, reason = "calls what is tested")]
    fn every_byte_of_a_block_and_none_beside_it_whatever_its_length_and_place() {
        for way in [wipe, wipe_by_word] {
            // Miri takes its time.
            let (lengths, places) = if cfg!(miri) { (20, 9) } else { (40, 16) };
            for bytes in 0..lengths {
                for from in 0..places {
                    let mut memory = [0xA5_u8; 64];
                    // SAFETY: from + bytes is at most 56.
                    unsafe { way(memory.as_mut_ptr().add(from), bytes) };
                    for (place, byte) in memory.into_iter().enumerate() {
                        let wiped = (from..from + bytes).contains(&place);
                        assert_eq!(byte == 0, wiped, "{bytes} bytes from {from}: {place}");
                    }
                }
            }
        }
    }
}
