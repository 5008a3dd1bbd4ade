//! What a server sends is looked through before the LDAP library reads it: that library takes messages
//! of any size and follows them to any depth, and a stack that runs over ends the whole node.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};

/// Longest message of a server that is read, in bytes. It holds one entry.
const MESSAGE_BYTES_MAX: usize = 1024 * 1024;
/// Deepest nesting of a message: an entry's values lie at six, what else LDAP knows below ten.
const DEPTH_MAX: usize = 16;
/// Tag of every message (RFC 4511, 4.1.1).
const SEQUENCE: u8 = 0x30;
/// Bit of a tag that says that elements follow.
const CONSTRUCTED: u8 = 0x20;
/// Bit of a length that says in how many bytes the length follows.
const LONG_FORM: u8 = 0x80;
/// Most bytes of a length.
const LENGTH_BYTES_MAX: usize = 4;

/// An element within a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) tag: u8,
    /// Where its content begins and ends.
    pub(super) begin: usize,
    pub(super) end: usize,
}

/// Hands messages over as long as they are within bounds.
///
/// # Errors
/// When one is not, or the connection breaks. Nothing of such a message is handed over.
pub(super) async fn pass(
    server: impl AsyncRead + Unpin,
    mut library: impl AsyncWrite + Unpin,
) -> io::Result<()> {
    let mut server = BufReader::new(server);
    while let Some(message) = message(&mut server).await? {
        library.write_all(&message).await?;
    }
    Ok(())
}

/// The next message, whole; `None` when the server is done.
///
/// # Errors
/// When it is none, too long or too deep, or the connection breaks.
pub(super) async fn message(server: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Vec<u8>>> {
    let mut message = Vec::new();
    if server.take(2).read_to_end(&mut message).await? == 0 {
        return Ok(None);
    }
    let [SEQUENCE, length] = message[..] else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    if length & LONG_FORM != 0 {
        let count = usize::from(length ^ LONG_FORM).min(LENGTH_BYTES_MAX + 1);
        server.take(count as u64).read_to_end(&mut message).await?;
    }
    let (begin, length) = length_at(&message, 1).ok_or(io::ErrorKind::InvalidData)?;
    if length > MESSAGE_BYTES_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    server.take(length as u64).read_to_end(&mut message).await?;
    if message.len() == begin + length && is_shallow(&message) {
        Ok(Some(message))
    } else {
        Err(io::ErrorKind::InvalidData.into())
    }
}

/// The element that begins there, which must end within `bytes`.
pub(super) fn element(bytes: &[u8], at: usize) -> Option<Element> {
    let tag = *bytes.get(at)?;
    let (begin, length) = length_at(bytes, at + 1)?;
    let end = begin.checked_add(length)?;
    (end <= bytes.len()).then_some(Element { tag, begin, end })
}

/// Where the content begins whose length stands there, and the length, in bytes. A length without
/// number ("until the end") is none in LDAP (RFC 4511, 5.1).
fn length_at(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let first = *bytes.get(at)?;
    if first & LONG_FORM == 0 {
        return Some((at + 1, first.into()));
    }
    let count = usize::from(first ^ LONG_FORM);
    if !(1..=LENGTH_BYTES_MAX).contains(&count) {
        return None;
    }
    let digits = bytes.get(at + 1..at + 1 + count)?;
    let length = digits
        .iter()
        .fold(0, |length, &digit| length << 8 | usize::from(digit));
    Some((at + 1 + count, length))
}

/// Whether elements end within one another and lie no deeper than [`DEPTH_MAX`].
fn is_shallow(message: &[u8]) -> bool {
    let mut ends = vec![message.len()];
    let mut at = 0;
    loop {
        while ends.last() == Some(&at) {
            ends.pop();
        }
        let Some(&end) = ends.last() else { return true };
        let Some(element) = element(&message[..end], at) else {
            return false;
        };
        at = element.end;
        if element.tag & CONSTRUCTED != 0 {
            if ends.len() > DEPTH_MAX {
                return false;
            }
            ends.push(element.end);
            at = element.begin;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ENTRY: &[u8] = b"\x30\x0e\x02\x01\x01\x64\x09\x04\x05l=SHS\x30\x00";

    async fn passed(bytes: &[u8]) -> (bool, Vec<u8>) {
        let mut out = Vec::new();
        let passed = pass(bytes, &mut out).await;
        (passed.is_ok(), out)
    }

    fn nested(depth: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        for _ in 0..depth {
            let length = u32::try_from(bytes.len()).unwrap();
            let head = [&[SEQUENCE, LONG_FORM | 4][..], &length.to_be_bytes()].concat();
            bytes = [head, bytes].concat();
        }
        bytes
    }

    #[tokio::test]
    async fn messages_pass_as_they_are() {
        let long = [b"\x30\x82\x01\x04\x04\x82\x01\x00".as_slice(), &[7; 256]].concat();
        let all = [ENTRY, &long, b"\x30\x00", ENTRY].concat();
        assert_eq!(passed(&all).await, (true, all));
        assert_eq!(passed(&nested(DEPTH_MAX)).await.1, nested(DEPTH_MAX));
    }

    #[tokio::test]
    async fn of_what_is_too_deep_too_long_or_cut_nothing_passes() {
        let mut too_long = vec![SEQUENCE, LONG_FORM | 4];
        too_long.extend((1_u32 << 20 | 1).to_be_bytes());
        for bad in [
            nested(DEPTH_MAX + 1),
            nested(5000),
            too_long,
            b"\x30".to_vec(),
            b"\x30\x80\x00\x00".to_vec(),
            b"\x30\x85\x00\x00\x00\x00\x00".to_vec(),
            b"\x30\xff".to_vec(),
            b"\x31\x00".to_vec(),
            // An element that ends beyond the one it lies in, and one without a length.
            b"\x30\x04\x30\x01\x04\x01".to_vec(),
            b"\x30\x01\x04".to_vec(),
            ENTRY[..ENTRY.len() - 1].to_vec(),
        ] {
            let all = [ENTRY, &bad].concat();
            assert_eq!(passed(&all).await, (false, ENTRY.to_vec()), "{bad:x?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            is_shallow(&bytes);
            element(&bytes, 0);
        }
    }
}
