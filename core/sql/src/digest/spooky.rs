//! `SpookyHash` V2 of Bob Jenkins (public domain, `SpookyV2.cpp`), the 64-bit form with one seed:
//! the hash that ProxySQL prints as a digest, so that digests in its rules keep their value.

const CONST: u64 = 0xdead_beef_dead_beef;
const WORDS: usize = 12;
const BLOCK: usize = WORDS * 8;
/// Shorter messages take the short path.
const LONG: usize = 2 * BLOCK;

/// The hash of `message` with seed 0.
pub(super) fn hash64(message: &[u8]) -> u64 {
    if message.len() < LONG {
        short(message)
    } else {
        long(message)
    }
}

/// Up to eight bytes, the first one lowest.
fn word(bytes: &[u8]) -> u64 {
    let mut whole = [0; 8];
    let count = bytes.len().min(8);
    whole[..count].copy_from_slice(&bytes[..count]);
    u64::from_le_bytes(whole)
}

fn short(message: &[u8]) -> u64 {
    let mut state = [0, 0, CONST, CONST];
    let mut blocks = message.chunks_exact(32);
    for block in &mut blocks {
        state[2] = state[2].wrapping_add(word(&block[..8]));
        state[3] = state[3].wrapping_add(word(&block[8..16]));
        short_mix(&mut state);
        state[0] = state[0].wrapping_add(word(&block[16..24]));
        state[1] = state[1].wrapping_add(word(&block[24..]));
    }
    let mut rest = blocks.remainder();
    if rest.len() >= 16 {
        state[2] = state[2].wrapping_add(word(&rest[..8]));
        state[3] = state[3].wrapping_add(word(&rest[8..16]));
        short_mix(&mut state);
        rest = &rest[16..];
    }
    let length = (message.len() as u64) << 56;
    state[3] = state[3].wrapping_add(length);
    if rest.is_empty() {
        state[2] = state[2].wrapping_add(CONST);
        state[3] = state[3].wrapping_add(CONST);
    } else {
        state[2] = state[2].wrapping_add(word(rest));
        state[3] = state[3].wrapping_add(word(rest.get(8..).unwrap_or_default()));
    }
    short_end(&mut state);
    state[0]
}

fn short_mix(h: &mut [u64; 4]) {
    const TURNS: [u32; 12] = [50, 52, 30, 41, 54, 48, 38, 37, 62, 34, 5, 36];
    for (step, turn) in TURNS.into_iter().enumerate() {
        let at = (step + 2) % 4;
        let (next, over) = ((at + 1) % 4, (at + 2) % 4);
        h[at] = h[at].rotate_left(turn).wrapping_add(h[next]);
        h[over] ^= h[at];
    }
}

fn short_end(h: &mut [u64; 4]) {
    const TURNS: [u32; 11] = [15, 52, 26, 51, 28, 9, 47, 54, 32, 25, 63];
    for (step, turn) in TURNS.into_iter().enumerate() {
        let at = (step + 3) % 4;
        let before = (at + 3) % 4;
        h[at] ^= h[before];
        h[before] = h[before].rotate_left(turn);
        h[at] = h[at].wrapping_add(h[before]);
    }
}

fn long(message: &[u8]) -> u64 {
    let mut state = [0, 0, CONST, 0, 0, CONST, 0, 0, CONST, 0, 0, CONST];
    let mut blocks = message.chunks_exact(BLOCK);
    for block in &mut blocks {
        mix(&mut state, block);
    }
    let rest = blocks.remainder();
    let mut last = [0; BLOCK];
    last[..rest.len()].copy_from_slice(rest);
    last[BLOCK - 1] = u8::try_from(rest.len()).expect("a rest is shorter than a block of 96 bytes");
    for (value, bytes) in state.iter_mut().zip(last.chunks_exact(8)) {
        *value = value.wrapping_add(word(bytes));
    }
    for _ in 0..3 {
        end_partial(&mut state);
    }
    state[0]
}

fn mix(s: &mut [u64; WORDS], block: &[u8]) {
    const TURNS: [u32; WORDS] = [11, 32, 43, 31, 17, 28, 39, 57, 55, 54, 22, 46];
    for (at, bytes) in block.chunks_exact(8).enumerate() {
        let (next, over) = ((at + 1) % WORDS, (at + 2) % WORDS);
        let (before, last) = ((at + 10) % WORDS, (at + 11) % WORDS);
        s[at] = s[at].wrapping_add(word(bytes));
        s[over] ^= s[before];
        s[last] ^= s[at];
        s[at] = s[at].rotate_left(TURNS[at]);
        s[last] = s[last].wrapping_add(s[next]);
    }
}

fn end_partial(h: &mut [u64; WORDS]) {
    const TURNS: [u32; WORDS] = [44, 15, 34, 21, 38, 33, 10, 13, 38, 53, 42, 54];
    for (step, turn) in TURNS.into_iter().enumerate() {
        let at = (step + 11) % WORDS;
        let (next, over) = ((at + 2) % WORDS, (at + 3) % WORDS);
        h[at] = h[at].wrapping_add(h[next]);
        h[over] ^= h[at];
        h[next] = h[next].rotate_left(turn);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first eight bytes of published results, which are written lowest byte first.
    #[test]
    fn messages_of_all_lengths_hash_as_published() {
        let fox = "The quick brown fox jumps over the lazy dog ".repeat(5);
        let cases = [
            ("", 0x2327_06fc_6bf5_0919),
            ("a", 0x1a10_8191_a0bb_c9bd),
            ("abcdefgh", 0x101c_8730_a539_eb6e),
            ("hello, world", 0x1dc6_84b1_ee36_b01d),
            ("1234567891123456", 0xcf70_ca9b_6019_ece8),
            ("1234567891123456789212345678931", 0x9950_c85a_bc8a_1254),
            ("12345678911234567892123456789312", 0x140b_be62_8104_b717),
            ("123456789112345678921234567893123", 0xe60a_9a85_836f_cd9d),
            (fox.trim_end(), 0xf1b7_1c6a_c5af_39e7),
        ];
        for (text, expected) in cases {
            let found: u64 = hash64(text.as_bytes());
            assert_eq!(found, expected, "{text}: {found:016x}");
        }
    }
}
