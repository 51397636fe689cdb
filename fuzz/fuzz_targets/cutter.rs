//! What comes from a broker is cut alike however it is split, and no packet is longer than the limit.
#![no_main]

use intercom_agent::upstream::mqtt::line::Cutter;
use libfuzzer_sys::fuzz_target;

const LIMIT: usize = 200;

fn cut<'b>(pieces: impl Iterator<Item = &'b [u8]>) -> Vec<u8> {
    let (mut cutter, mut out) = (Cutter::new(LIMIT), Vec::new());
    pieces.for_each(|piece| cutter.pass(piece, &mut out));
    out
}

fuzz_target!(|bytes: &[u8]| {
    let whole = cut([bytes].into_iter());
    assert_eq!(cut(bytes.chunks(1)), whole);
    let size = bytes.first().map_or(1, |first| usize::from(*first) + 1);
    assert_eq!(cut(bytes.chunks(size)), whole);
    // A stream in which nothing is too large passes as it is.
    assert_eq!(cut([&whole[..]].into_iter()), whole);
});
