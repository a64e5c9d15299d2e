//! Huffman codes in a JPEG's bits, read and written (ITU-T T.81, annexes C and F).

/// Codes of up to so many bits are found at once.
const QUICK: u32 = 9;

/// The codes of a file.
#[derive(Debug)]
pub struct Huffman {
    /// Length and symbol by the next bits; the length is 0 where the code is longer.
    quick: Vec<(u8, u8)>,
    /// Where the codes of each length end, as 16 bits.
    ends: [u32; 17],
    /// From a code of this length to the place of its symbol.
    offsets: [i32; 17],
    symbols: Vec<u8>,
}

impl Huffman {
    /// From how many codes each length has, and their symbols; `None` where there are more codes
    /// than bits for them.
    pub fn new(counts: [u8; 16], symbols: &[u8]) -> Option<Self> {
        let mut new = Self {
            quick: vec![(0, 0); 1 << QUICK],
            ends: [0; 17],
            offsets: [0; 17],
            symbols: symbols.to_vec(),
        };
        let (mut code, mut place) = (0_u32, 0_usize);
        for (length, count) in (1_u32..).zip(counts) {
            new.offsets[length as usize] = place as i32 - code as i32;
            for symbol in symbols.get(place..place + usize::from(count))? {
                if length <= QUICK {
                    let first = (code << (QUICK - length)) as usize;
                    let all = new.quick.get_mut(first..first + (1 << (QUICK - length)))?;
                    all.fill((length as u8, *symbol));
                }
                code += 1;
            }
            place += usize::from(count);
            new.ends[length as usize] = code << (16 - length);
            if new.ends[length as usize] > 1 << 16 {
                return None;
            }
            code <<= 1;
        }
        Some(new)
    }

    /// The next symbol.
    pub fn next(&self, bits: &mut Reader<'_>) -> Option<u8> {
        let ahead = bits.ahead();
        let (length, symbol) = self.quick[(ahead >> (16 - QUICK)) as usize];
        if length > 0 {
            bits.skip(length.into());
            return Some(symbol);
        }
        let length = (QUICK + 1..=16).find(|l| ahead < self.ends[*l as usize])?;
        bits.skip(length);
        let code = (ahead >> (16 - length)) as i32;
        let place = usize::try_from(code + self.offsets[length as usize]).ok()?;
        self.symbols.get(place).copied()
    }
}

/// The bits of a scan; behind their end come zeros.
#[derive(Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    held: u64,
    count: u32,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            held: 0,
            count: 0,
        }
    }

    fn fill(&mut self) {
        while self.count <= 48 {
            let byte = match (self.bytes.get(self.at), self.bytes.get(self.at + 1)) {
                (Some(0xff), Some(0)) => {
                    self.at += 2;
                    0xff
                }
                // A marker: nothing is read beyond it.
                (Some(0xff) | None, _) => 0,
                (Some(byte), _) => {
                    self.at += 1;
                    *byte
                }
            };
            self.held = self.held << 8 | u64::from(byte);
            self.count += 8;
        }
    }

    /// The next 16 bits, which stay.
    fn ahead(&mut self) -> u32 {
        if self.count < 16 {
            self.fill();
        }
        (self.held >> (self.count - 16)) as u32 & 0xffff
    }

    fn skip(&mut self, count: u32) {
        self.count -= count;
    }

    /// The next bits as a number, 16 at most.
    pub fn take(&mut self, count: u32) -> u32 {
        let number = self.ahead() >> (16 - count);
        self.skip(count);
        number
    }

    /// A number of this many bits with its sign (F.2.2.1).
    pub fn number(&mut self, size: u32) -> Option<i16> {
        match size {
            0 => Some(0),
            1..=14 => {
                let bits = self.take(size) as i16;
                let is_negative = bits >> (size - 1) == 0;
                Some(if is_negative {
                    bits - (1 << size) + 1
                } else {
                    bits
                })
            }
            _ => None,
        }
    }

    /// Goes behind the restart marker that is due.
    pub fn restart(&mut self) -> Option<()> {
        let at = self.marker();
        if !(0xd0..0xd8).contains(self.bytes.get(at + 1)?) {
            return None;
        }
        *self = Self::new(self.bytes);
        self.at = at + 2;
        Some(())
    }

    /// Where the scan's bytes end.
    pub fn end(mut self) -> usize {
        loop {
            self.at = self.marker();
            match self.bytes.get(self.at + 1) {
                Some(0xd0..0xd8) => self.at += 2,
                _ => return self.at,
            }
        }
    }

    /// The next marker, from where it was read so far.
    fn marker(&self) -> usize {
        let pairs = self.bytes.windows(2).enumerate().skip(self.at);
        let mut markers = pairs.filter(|(_, pair)| pair[0] == 0xff && pair[1] != 0);
        markers.next().map_or(self.bytes.len(), |(at, _)| at)
    }
}

/// Codes to write with: any will do, as nobody keeps what is written. Eight symbols have 4 bits and
/// the others 9; or all have 4.
#[derive(Debug)]
pub struct Codes {
    symbols: Vec<u8>,
    short: usize,
    /// Bits and their number, by symbol.
    bits: [(u16, u8); 256],
}

impl Codes {
    /// The numbers of bits that differences of averages have.
    pub fn averages() -> Self {
        Self::new((0..12).collect(), 12)
    }

    /// Zeros before a coefficient and its bits, those that are most frequent first; the end of a
    /// block; 16 zeros.
    pub fn rest() -> Self {
        let mut symbols = vec![0x01, 0x00, 0x02, 0x11, 0x03, 0x21, 0x31, 0x12];
        let all = (0..16_u8).flat_map(|zeros| (1..=10).map(move |size| zeros << 4 | size));
        for symbol in all.chain([0xf0]) {
            if !symbols.contains(&symbol) {
                symbols.push(symbol);
            }
        }
        Self::new(symbols, 8)
    }

    fn new(symbols: Vec<u8>, short: usize) -> Self {
        let mut bits = [(0, 0); 256];
        for (place, symbol) in symbols.iter().enumerate() {
            bits[usize::from(*symbol)] = if place < short {
                (place as u16, 4)
            } else {
                ((short << 5) as u16 + (place - short) as u16, 9)
            };
        }
        Self {
            symbols,
            short,
            bits,
        }
    }

    /// As a segment says them (B.2.4.2).
    pub fn table(&self, class: u8) -> Vec<u8> {
        let mut table = vec![class];
        let mut counts = [0; 16];
        counts[3] = self.short as u8;
        counts[8] = (self.symbols.len() - self.short) as u8;
        table.extend(counts);
        table.extend(&self.symbols);
        table
    }
}

/// Bits on their way into a scan.
#[derive(Debug)]
pub struct Writer {
    bytes: Vec<u8>,
    held: u64,
    count: u32,
}

impl Writer {
    /// Writes on where these bytes end.
    pub fn behind(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            held: 0,
            count: 0,
        }
    }

    fn put(&mut self, bits: u16, count: u32) {
        self.held = self.held << count | u64::from(bits);
        self.count += count;
        while self.count >= 8 {
            self.count -= 8;
            let byte = (self.held >> self.count) as u8;
            self.bytes.push(byte);
            if byte == 0xff {
                self.bytes.push(0);
            }
        }
    }

    /// A symbol: so many zeros, and then a number; `None` where no code says that.
    pub fn number(&mut self, codes: &Codes, zeros: u8, number: i16) -> Option<()> {
        let size = 16 - number.unsigned_abs().leading_zeros();
        let symbol = zeros << 4 | u8::try_from(size).ok().filter(|s| *s < 16)?;
        self.symbol(codes, symbol)?;
        let bits = if number < 0 { number - 1 } else { number };
        self.put(bits as u16 & ((1 << size) - 1), size);
        Some(())
    }

    pub fn symbol(&mut self, codes: &Codes, symbol: u8) -> Option<()> {
        let (code, length) = codes.bits[usize::from(symbol)];
        if length == 0 {
            return None;
        }
        self.put(code, length.into());
        Some(())
    }

    /// All bytes; what fills the last one are ones.
    pub fn finish(mut self) -> Vec<u8> {
        self.put(0x7f, 7);
        self.bytes
    }
}
