//! Finding boundary lines (RFC 2046, 5.1.1; shs-1.2, 2.6).

use memchr::memmem::Finder;

/// The fault text of a message without its closing boundary.
pub(super) const NOT_CLOSED: &str = "the closing boundary is missing";

/// Which line ends were seen in a stretch of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineEnds {
    /// Only CRLF.
    Crlf,
    /// Only bare LF.
    Lf,
    /// Both.
    Mixed,
}

impl LineEnds {
    /// The line ends of two stretches together.
    pub(super) fn and(self, other: Self) -> Self {
        if self == other { self } else { Self::Mixed }
    }
}

/// One line: its content without the line end, and where the next begins.
pub(super) struct Line<'a> {
    pub(super) content: &'a [u8],
    pub(super) next: usize,
    pub(super) end: LineEnds,
}

/// The line that starts at `start`, if it ends within `bytes_max` bytes.
pub(super) fn line_at(body: &[u8], start: usize, bytes_max: usize) -> Option<Line<'_>> {
    let window = &body[start..body.len().min(start.saturating_add(bytes_max))];
    let feed = memchr::memchr(b'\n', window)?;
    let (content, end) = match window[..feed].strip_suffix(b"\r") {
        Some(content) => (content, LineEnds::Crlf),
        None => (&window[..feed], LineEnds::Lf),
    };
    Some(Line {
        content,
        next: start + feed + 1,
        end,
    })
}

/// A delimiter line that was found.
pub(super) struct Found {
    /// Offset of its first hyphen.
    pub(super) at: usize,
    /// Offset of the line after it.
    pub(super) next_line: usize,
    /// Its own line end.
    pub(super) line_end: LineEnds,
    /// True for `--boundary--`.
    pub(super) closing: bool,
}

/// `--` and the boundary, ready for searching.
pub(super) struct Delimiter {
    finder: Finder<'static>,
}

impl Delimiter {
    pub(super) fn new(boundary: &[u8]) -> Self {
        let finder = Finder::new(&[b"--", boundary].concat()).into_owned();
        Self { finder }
    }

    /// The first delimiter line at or after `from`, which must be the start of a line. With
    /// `crlf_only` a bare line feed does not start a delimiter line.
    pub(super) fn find(&self, body: &[u8], from: usize, crlf_only: bool) -> Option<Found> {
        self.finder
            .find_iter(&body[from..])
            .map(|at| from + at)
            .filter(|&at| at == from || starts_line(&body[..at], crlf_only))
            .find_map(|at| self.read_line(body, at))
    }

    /// True when the line at `at` is a delimiter line.
    pub(super) fn is_at(&self, body: &[u8], at: usize) -> bool {
        body[at..].starts_with(self.finder.needle()) && self.read_line(body, at).is_some()
    }

    /// Reads what follows the boundary: a closing `--`, blanks, the line end.
    fn read_line(&self, body: &[u8], at: usize) -> Option<Found> {
        let mut rest = &body[at + self.finder.needle().len()..];
        let closing = rest.starts_with(b"--");
        if closing {
            rest = &rest[2..];
        }
        let blanks = rest
            .iter()
            .take_while(|b| matches!(b, b' ' | b'\t'))
            .count();
        rest = &rest[blanks..];
        let (length, line_end) = match rest {
            [b'\r', b'\n', ..] => (2, LineEnds::Crlf),
            [b'\n', ..] => (1, LineEnds::Lf),
            [] | [b'\r'] if closing => (rest.len(), LineEnds::Crlf),
            _ => return None,
        };
        let next_line = body.len() - rest.len() + length;
        Some(Found {
            at,
            next_line,
            line_end,
            closing,
        })
    }
}

fn starts_line(before: &[u8], crlf_only: bool) -> bool {
    before.ends_with(if crlf_only { b"\r\n" } else { b"\n" })
}

/// Where the content that starts at `start` ends, given the delimiter line at `at`: exactly one
/// line end before the delimiter belongs to it, in the form of the part's framing.
pub(super) fn without_line_end(body: &[u8], start: usize, at: usize, framing: LineEnds) -> usize {
    let content = &body[start..at];
    let length = if framing != LineEnds::Lf && content.ends_with(b"\r\n") {
        2
    } else {
        usize::from(content.ends_with(b"\n"))
    };
    at - length
}
