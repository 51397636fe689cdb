//! The cryptography that the panel offers: rustls's ring provider, fastest first.

use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::default_provider;
use rustls::{CipherSuite, SupportedCipherSuite};

/// A 32-bit ARM core such as the Cortex-A7 has no instructions for AES. ChaCha20-Poly1305 is several
/// times faster there, so it is offered first. The server may still choose another cipher.
pub(super) fn provider() -> CryptoProvider {
    let mut provider = default_provider();
    if cfg!(target_arch = "arm") {
        // The sort is stable, so the library's order stays otherwise.
        provider.cipher_suites.sort_by_key(|suite| !is_chacha20(suite));
    }
    provider
}

fn is_chacha20(suite: &SupportedCipherSuite) -> bool {
    matches!(
        suite.suite(),
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256
            | CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
            | CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
    )
}
