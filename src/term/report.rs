//! Tells the terminal's answers from what the person types, in one stream of bytes.

use std::time::Duration;

use super::echo;

/// How long a lone escape waits: what follows it in a sequence comes with it, on slow lines too.
const ESCAPE: Duration = Duration::from_millis(40);
/// How long a begun sequence waits for its end, when the line stalls within it.
const SEQUENCE: Duration = Duration::from_secs(1);

/// A piece of the terminal's input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// An answer to a question of ours, whole.
    Answer(Vec<u8>),
    /// Keys, mouse, paste.
    Typed(Vec<u8>),
}

/// Splits the input; a sequence that is not over yet waits for its end.
#[derive(Debug, Default)]
pub struct Splitter {
    held: Vec<u8>,
}

/// What the bytes begin with.
enum Sequence {
    Answer(usize),
    Typed(usize),
    Unfinished,
}

impl Splitter {
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Piece> {
        self.held.extend_from_slice(bytes);
        let mut rest = std::mem::take(&mut self.held);
        let (mut pieces, mut typed) = (Vec::new(), Vec::new());
        while !rest.is_empty() {
            let (is_answer, length) = match first(&rest) {
                Sequence::Answer(n) => (true, n),
                Sequence::Typed(n) => (false, n),
                Sequence::Unfinished => break,
            };
            let tail = rest.split_off(length);
            let head = std::mem::replace(&mut rest, tail);
            if !is_answer {
                typed.extend(head);
                continue;
            }
            if !typed.is_empty() {
                pieces.push(Piece::Typed(std::mem::take(&mut typed)));
            }
            pieces.push(Piece::Answer(head));
        }
        self.held = rest;
        if !typed.is_empty() {
            pieces.push(Piece::Typed(typed));
        }
        pieces
    }

    /// How long to wait for the end of what is held; `None` when nothing is.
    pub fn patience(&self) -> Option<Duration> {
        match self.held.len() {
            0 => None,
            1 | 2 => Some(ESCAPE),
            _ => Some(SEQUENCE),
        }
    }

    /// No more bytes came: what is held was typed, unless it is the beginning of an answer, which
    /// is dropped.
    pub fn flush(&mut self) -> Vec<u8> {
        let held = std::mem::take(&mut self.held);
        let is_answer = held.len() > 2 && matches!(held[1], b'_' | b'P' | b']');
        if is_answer { Vec::new() } else { held }
    }
}

fn first(bytes: &[u8]) -> Sequence {
    if bytes[0] != 0x1b {
        let next = bytes.iter().position(|b| *b == 0x1b);
        return Sequence::Typed(next.unwrap_or(bytes.len()));
    }
    match bytes.get(1) {
        None => Sequence::Unfinished,
        Some(b'_' | b'P') => match bytes.windows(2).position(|w| w == b"\x1b\\") {
            Some(n) => Sequence::Answer(n + 2),
            None => Sequence::Unfinished,
        },
        // An operating system command is an answer; Alt with the bracket is a key.
        Some(b']') if bytes.get(2).is_none_or(u8::is_ascii_digit) => command(bytes),
        Some(b'[') => control(bytes),
        Some(0x1b) => Sequence::Typed(1),
        Some(_) => Sequence::Typed(2),
    }
}

fn command(bytes: &[u8]) -> Sequence {
    let bell = bytes.iter().position(|b| *b == 0x07).map(|n| n + 1);
    let string = bytes.windows(2).position(|w| w == b"\x1b\\");
    let ends = bell.into_iter().chain(string.map(|n| n + 2));
    ends.min().map_or(Sequence::Unfinished, Sequence::Answer)
}

fn control(bytes: &[u8]) -> Sequence {
    if bytes.get(2) == Some(&b'[') {
        // The Linux console's function keys.
        return if bytes.len() < 4 {
            Sequence::Unfinished
        } else {
            Sequence::Typed(4)
        };
    }
    let Some(end) = bytes[2..].iter().position(|b| !(0x20..0x40).contains(b)) else {
        return Sequence::Unfinished;
    };
    let (parameters, last) = (&bytes[2..2 + end], bytes[2 + end]);
    let is_private = matches!(parameters.first(), Some(b'?' | b'>'));
    let is_answer = match last {
        b'c' | b'n' | b't' => !parameters.is_empty(),
        b'y' => parameters.ends_with(b"$"),
        b'u' | b'S' => is_private,
        b'R' => bytes.starts_with(echo::ANSWER),
        _ => false,
    };
    if is_answer {
        Sequence::Answer(end + 3)
    } else {
        Sequence::Typed(end + 3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_before_between_and_after_answers_are_kept() {
        let mut splitter = Splitter::default();
        let all =
            b"ab\x1b_Gi=31;OK\x1b\\\x1b[A\x1b[?62;4c\x1b[6;20;10tz\x1b]x\x1b]11;rgb:0/0/0\x07";
        let expected = vec![
            Piece::Typed(b"ab".to_vec()),
            Piece::Answer(b"\x1b_Gi=31;OK\x1b\\".to_vec()),
            Piece::Typed(b"\x1b[A".to_vec()),
            Piece::Answer(b"\x1b[?62;4c".to_vec()),
            Piece::Answer(b"\x1b[6;20;10t".to_vec()),
            Piece::Typed(b"z\x1b]x".to_vec()),
            Piece::Answer(b"\x1b]11;rgb:0/0/0\x07".to_vec()),
        ];
        assert_eq!(splitter.push(all), expected);
        assert!(splitter.patience().is_none());
    }

    #[test]
    fn an_answer_may_come_byte_by_byte() {
        let mut splitter = Splitter::default();
        let bytes = b"\x1bP>|kitty(0.26.5)\x1b\\q";
        let pieces: Vec<Piece> = bytes.iter().flat_map(|b| splitter.push(&[*b])).collect();
        let answer = Piece::Answer(bytes[..bytes.len() - 1].to_vec());
        assert_eq!(pieces, [answer, Piece::Typed(b"q".to_vec())]);
    }

    #[test]
    fn a_lone_escape_is_typed_once_nothing_follows() {
        let mut splitter = Splitter::default();
        assert!(splitter.push(b"\x1b").is_empty());
        assert_eq!(splitter.flush(), b"\x1b");
    }

    #[test]
    fn a_torn_answer_never_becomes_keys() {
        let mut splitter = Splitter::default();
        assert!(splitter.push(b"\x1b_Gi=12;ENOENT").is_empty());
        assert_eq!(splitter.patience(), Some(SEQUENCE));
        assert!(splitter.flush().is_empty());
    }
}
