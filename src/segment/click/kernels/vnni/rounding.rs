//! Bytes of sums: times what one counts, rounded half to even, as ONNX Runtime does.

use std::arch::x86_64::{
    __m128i, __m512, __m512i, _mm512_add_ps, _mm512_adds_epi16, _mm512_castsi512_si128,
    _mm512_cvtepi32_ps, _mm512_cvtps_epi32, _mm512_extracti32x4_epi32, _mm512_max_ps,
    _mm512_min_ps, _mm512_mul_ps, _mm512_packs_epi32, _mm512_packus_epi16,
    _mm512_permutexvar_epi32, _mm512_roundscale_ps, _mm512_set1_epi16, _mm512_set1_ps,
};

/// Channels in a register of sums.
pub const LANES: usize = 16;
/// Registers of sums that become bytes at once.
pub const FOUR: usize = 4;

/// The order in which 4 x 4 bytes are the other way round.
pub const TURNED: [u8; LANES] = [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15];
/// The same of 4 x 4 words.
pub const TURNED_WORDS: [u32; LANES] = [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15];

/// What one of a sum counts in a block of channels, and the byte that stands for none.
#[derive(Clone, Copy)]
pub struct Rounding {
    pub scale: __m512,
    pub zero: u8,
}

impl Rounding {
    /// Of four registers' sums the bytes: four channels of the first, of the second ..., then the next four channels.
    #[target_feature(enable = "avx512f,avx512bw")]
    #[inline]
    pub fn mixed(self, sums: [__m512i; FOUR]) -> __m512i {
        let [a, b, c, d] = sums;
        let (a, b) = (self.scaled(a), self.scaled(b));
        let (c, d) = (self.scaled(c), self.scaled(d));
        mixed([a, b, c, d], self.zero)
    }

    /// Of four registers' sums the bytes of each.
    #[target_feature(enable = "avx512f,avx512bw")]
    #[inline]
    pub fn bytes(self, sums: [__m512i; FOUR]) -> [[u8; LANES]; FOUR] {
        apart(self.mixed(sums))
    }

    /// The bytes of sums as numbers.
    #[target_feature(enable = "avx512f")]
    #[inline]
    pub fn values(self, sums: __m512i) -> __m512 {
        let zero = _mm512_set1_ps(f32::from(self.zero));
        // Half to even.
        let whole = _mm512_roundscale_ps::<0>(self.scaled(sums));
        let value = _mm512_max_ps(_mm512_add_ps(whole, zero), _mm512_set1_ps(0.0));
        _mm512_min_ps(value, _mm512_set1_ps(255.0))
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn scaled(self, sums: __m512i) -> __m512 {
        _mm512_mul_ps(_mm512_cvtepi32_ps(sums), self.scale)
    }
}

/// Of four registers' numbers, to each of which `zero` is added when it is rounded, the bytes, mixed.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn mixed(values: [__m512; FOUR], zero: u8) -> __m512i {
    let [a, b, c, d] = values;
    let (a, b) = (_mm512_cvtps_epi32(a), _mm512_cvtps_epi32(b));
    let (c, d) = (_mm512_cvtps_epi32(c), _mm512_cvtps_epi32(d));
    let zero = _mm512_set1_epi16(i16::from(zero));
    let upper = _mm512_adds_epi16(_mm512_packs_epi32(a, b), zero);
    let lower = _mm512_adds_epi16(_mm512_packs_epi32(c, d), zero);
    _mm512_packus_epi16(upper, lower)
}

/// Of four registers' numbers the bytes of each.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
pub fn rounded(values: [__m512; FOUR]) -> [[u8; LANES]; FOUR] {
    apart(mixed(values, 0))
}

/// Of four registers' numbers the bytes, one register's behind the other's.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
pub fn together(values: [__m512; FOUR]) -> [u8; LANES * FOUR] {
    bytemuck::cast(sorted(mixed(values, 0)))
}

#[target_feature(enable = "avx512f")]
#[inline]
fn sorted(mixed: __m512i) -> __m512i {
    _mm512_permutexvar_epi32(bytemuck::cast(TURNED_WORDS), mixed)
}

/// Mixed bytes, those of each register together.
#[target_feature(enable = "avx512f")]
#[inline]
fn apart(mixed: __m512i) -> [[u8; LANES]; FOUR] {
    let bytes = sorted(mixed);
    let cast = |lane: __m128i| -> [u8; LANES] { bytemuck::cast(lane) };
    [
        cast(_mm512_castsi512_si128(bytes)),
        cast(_mm512_extracti32x4_epi32::<1>(bytes)),
        cast(_mm512_extracti32x4_epi32::<2>(bytes)),
        cast(_mm512_extracti32x4_epi32::<3>(bytes)),
    ]
}
