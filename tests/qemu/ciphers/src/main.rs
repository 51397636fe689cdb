//! Seals records of TLS's largest size with each cipher that the panel offers, and prints a line for
//! each: its name and the nanoseconds that one byte took.

use std::hint::black_box;
use std::time::Instant;

use ring::aead::{
    AES_128_GCM, AES_256_GCM, Aad, Algorithm, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey,
};
use ring::error::Unspecified;

/// The largest record of TLS (RFC 8446, section 5.1), in bytes.
const RECORD: usize = 16 * 1024;
/// Enough for the start to cost nothing, and for some seconds of an emulated board.
const RECORDS: u32 = 64;

fn main() -> Result<(), Unspecified> {
    for (name, cipher) in [
        ("AES-128-GCM", &AES_128_GCM),
        ("AES-256-GCM", &AES_256_GCM),
        ("ChaCha20-Poly1305", &CHACHA20_POLY1305),
    ] {
        println!("{name} {:.1}", nanoseconds_per_byte(cipher)?);
    }
    Ok(())
}

fn nanoseconds_per_byte(cipher: &'static Algorithm) -> Result<f64, Unspecified> {
    let secret = vec![0x5A; cipher.key_len()];
    let key = LessSafeKey::new(UnboundKey::new(cipher, &secret)?);
    let mut record = vec![0; RECORD];
    let started = Instant::now();
    for number in 0..RECORDS {
        let mut nonce = [0; 12];
        nonce[..4].copy_from_slice(&number.to_be_bytes());
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = key.seal_in_place_separate_tag(nonce, Aad::empty(), black_box(&mut record))?;
        black_box(tag.as_ref());
    }
    let bytes = f64::from(RECORDS) * RECORD as f64;
    Ok(started.elapsed().as_nanos() as f64 / bytes)
}
