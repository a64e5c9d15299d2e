//! A terminal's output, cut into what it is made of.

/// One thing that a terminal obeys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token<'a> {
    Text(&'a str),
    /// `ESC` and one byte.
    Escape(u8),
    /// `ESC [` with its parameters as written, and the last byte.
    Csi(&'a str, u8),
    /// `ESC P … ESC \`: sixel.
    Device(&'a [u8]),
    /// `ESC P tmux; … ESC \`: what tmux passes on.
    Passed(Vec<u8>),
    /// `ESC ] … BEL`, or with `ESC \` at the end: iTerm2's images.
    System(&'a [u8]),
    /// `ESC _ … ESC \`: kitty's pictures.
    Application(&'a [u8]),
}

/// Cuts a whole output.
///
/// # Panics
/// On what no terminal could read: a sequence without an end, text that is not UTF-8.
pub fn cut(mut bytes: &[u8]) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    while !bytes.is_empty() {
        let (token, rest) = next(bytes);
        tokens.push(token);
        bytes = rest;
    }
    tokens
}

fn next(bytes: &[u8]) -> (Token<'_>, &[u8]) {
    if bytes[0] != 0x1b {
        let end = bytes.iter().position(|b| *b == 0x1b);
        let (text, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
        return (
            Token::Text(std::str::from_utf8(text).expect("text is UTF-8")),
            rest,
        );
    }
    match bytes[1] {
        b'[' => {
            let end = bytes[2..]
                .iter()
                .position(|b| (0x40..=0x7e).contains(b))
                .expect("a control sequence has an end");
            let parameters = std::str::from_utf8(&bytes[2..2 + end]).expect("they are ASCII");
            (Token::Csi(parameters, bytes[2 + end]), &bytes[3 + end..])
        }
        b'P' if bytes[2..].starts_with(b"tmux;") => passed(bytes),
        b'P' => string(bytes, Token::Device),
        b'_' => string(bytes, Token::Application),
        b']' => string(bytes, Token::System),
        other => (Token::Escape(other), &bytes[2..]),
    }
}

fn string<'a>(bytes: &'a [u8], token: impl Fn(&'a [u8]) -> Token<'a>) -> (Token<'a>, &'a [u8]) {
    let is_end = |i: &usize| bytes[*i] == 0x07 || bytes[*i..].starts_with(b"\x1b\\");
    let end = (2..bytes.len())
        .find(is_end)
        .expect("a string sequence has an end");
    let after = if bytes[end] == 0x07 { end + 1 } else { end + 2 };
    (token(&bytes[2..end]), &bytes[after..])
}

/// Within it every escape is doubled.
fn passed(bytes: &[u8]) -> (Token<'_>, &[u8]) {
    let mut inner = Vec::new();
    let mut rest = &bytes[b"\x1bPtmux;".len()..];
    loop {
        match rest {
            [0x1b, 0x1b, after @ ..] => {
                inner.push(0x1b);
                rest = after;
            }
            [0x1b, b'\\', after @ ..] => {
                assert!(inner.len() < 1 << 20, "tmux drops what is longer");
                return (Token::Passed(inner), after);
            }
            [byte, after @ ..] => {
                assert_ne!(*byte, 0x1b, "an escape is doubled");
                inner.push(*byte);
                rest = after;
            }
            [] => panic!("a string sequence has an end"),
        }
    }
}
