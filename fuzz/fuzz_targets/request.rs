//! Any delivery is a request or an unreadable one; a request names a target and has one key.
#![no_main]

use intercom_wire::Request;
use intercom_wire::signature::Keys;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let (payload, _) = Keys::default().open(bytes);
    if let Ok(request) = Request::read(&payload) {
        let target = &request.target;
        assert!(target.id.is_some() || target.mac.is_some() || target.board.is_some());
        let again = Request::read(&payload).expect("as before");
        assert_eq!(again.key(), request.key());
        assert_eq!((again.issuer, again.nonce, again.seq), (request.issuer, request.nonce, request.seq));
    }
});
