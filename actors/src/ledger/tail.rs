//! The end of a file: which line is the last whole one, and what a crash tore off behind it.
//!
//! What was torn off is never removed. The next line, `lagat`, says how many lines and bytes it is and
//! what their SHA-256 is, so that exactly this and nothing else may stand there outside the chain.

use std::io::{self, Read, Seek, SeekFrom};

use super::chain::{self, Hash, Head};

/// Bytes that are read first: some lines.
const FIRST_BYTES: u64 = 64 * 1024;

/// Most bytes behind the last whole line that are looked through. Above the bytes of any group.
const BYTES_MAX: u64 = 4 * 1024 * 1024;

/// What stands outside the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Torn {
    /// Pieces of lines.
    pub lines: u64,
    /// Their bytes, with the line ends between them.
    pub bytes: u64,
    /// The SHA-256 of these bytes.
    pub sha256: Hash,
}

impl Torn {
    fn of(bytes: &[u8]) -> Self {
        Self {
            lines: bytes.split(|byte| *byte == b'\n').count() as u64,
            bytes: bytes.len() as u64,
            sha256: Hash::of(bytes),
        }
    }
}

/// The end of one file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct FileEnd {
    /// The last whole line, if there is one.
    pub(super) head: Option<Head>,
    /// What stands behind it, without the last line end.
    pub(super) rest: Option<Vec<u8>>,
    /// Whether the file ends within a line.
    pub(super) unended: bool,
}

/// The end of the ledger, over its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tail {
    /// The last whole line.
    pub head: Head,
    /// What was torn off behind it.
    pub torn: Option<Torn>,
}

impl Tail {
    /// From the ends of its files, the last one first; ends that come after the one with a whole line
    /// are not asked for.
    pub(super) fn of(ends: impl Iterator<Item = io::Result<FileEnd>>) -> io::Result<Self> {
        let mut rests = Vec::new();
        let mut head = Head::START;
        for end in ends {
            let end = end?;
            rests.extend(end.rest);
            if let Some(last) = end.head {
                head = last;
                break;
            }
        }
        rests.reverse();
        let torn = (!rests.is_empty()).then(|| Torn::of(&rests.join(&b'\n')));
        Ok(Self { head, torn })
    }

    /// Of one text.
    #[cfg(test)]
    pub(super) fn of_text(text: &str) -> Self {
        let mut file = io::Cursor::new(text.as_bytes().to_vec());
        Self::of([read(&mut file)].into_iter()).unwrap()
    }
}

/// The end of a file.
///
/// # Errors
/// When it cannot be read, or no whole line is found within bounds.
pub(super) fn read<F: Read + Seek>(file: &mut F) -> io::Result<FileEnd> {
    let length = file.seek(SeekFrom::End(0))?;
    let mut window = FIRST_BYTES.min(length);
    loop {
        let from = length - window;
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        file.by_ref().take(window).read_to_end(&mut bytes)?;
        let end = end_of(&bytes, from == 0);
        if from == 0 || end.head.is_some() {
            return Ok(end);
        }
        if window >= BYTES_MAX {
            return Err(io::Error::from(io::ErrorKind::InvalidData));
        }
        window = (window * 8).min(BYTES_MAX).min(length);
    }
}

/// The end of these bytes; the first line counts only when they are the whole file.
fn end_of(bytes: &[u8], whole: bool) -> FileEnd {
    let unended = bytes.last().is_some_and(|byte| *byte != b'\n');
    let content = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let mut end = FileEnd {
        unended,
        ..FileEnd::default()
    };
    if bytes.is_empty() {
        return end;
    }
    let mut to = content.len();
    loop {
        let from = content[..to].iter().rposition(|byte| *byte == b'\n');
        let begin = from.map_or(0, |at| at + 1);
        let line = &content[begin..to];
        if (begin > 0 || whole)
            && let Some((link, _)) = chain::read(line)
        {
            end.head = Some(Head {
                seq: link.seq,
                hash: Hash::of(line),
            });
            end.rest = content.get(to + 1..).map(<[u8]>::to_vec);
            return end;
        }
        match from {
            Some(at) => to = at,
            None => break,
        }
    }
    end.rest = Some(content.to_vec());
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(n: usize) -> (String, Head) {
        let (mut out, mut head) = (Vec::new(), Head::START);
        for _ in 0..n {
            head = head.tie(br#"{"event":"a"}"#, &mut out);
        }
        (String::from_utf8(out).unwrap(), head)
    }

    #[test]
    fn whole_lines_leave_nothing_torn_even_when_only_the_line_end_is_missing() {
        let (text, head) = lines(3);
        let whole = Tail { head, torn: None };
        assert_eq!(Tail::of_text(&text), whole);
        assert_eq!(Tail::of_text(text.trim_end()), whole);
        assert_eq!(Tail::of_text("").head, Head::START);
    }

    #[test]
    fn every_cut_of_the_last_line_is_what_was_torn() {
        let ((text, _), (before, head)) = (lines(3), lines(2));
        for cut in before.len() + 1..text.len() - 1 {
            let tail = Tail::of_text(&text[..cut]);
            let torn = Torn::of(&text.as_bytes()[before.len()..cut]);
            let expected = Tail {
                head,
                torn: Some(torn),
            };
            assert_eq!(tail, expected, "{cut}");
        }
    }

    #[test]
    fn what_was_torn_may_be_several_lines_in_several_files() {
        let (text, head) = lines(2);
        let mut files = [
            "{\"seq\":9".to_owned(),
            String::new(),
            format!("{text}\n{{\"b\n{{\"c\n"),
        ]
        .map(|text| io::Cursor::new(text.into_bytes()));
        let tail = Tail::of(files.iter_mut().map(read)).unwrap();
        assert_eq!(tail.head, head);
        let torn = tail.torn.unwrap();
        assert_eq!(torn, Torn::of(b"\n{\"b\n{\"c\n{\"seq\":9"));
        assert_eq!((torn.lines, torn.bytes), (4, 17));
    }

    #[test]
    fn a_last_line_is_found_behind_much_and_not_sought_for_ever() {
        let (text, head) = lines(2);
        let much = text.clone() + &"x".repeat(3_000_000);
        assert_eq!(Tail::of_text(&much).head, head);
        let more = text + &"x".repeat(5_000_000);
        let mut file = io::Cursor::new(more.into_bytes());
        assert_eq!(
            read(&mut file).unwrap_err().kind(),
            io::ErrorKind::InvalidData
        );
    }
}
