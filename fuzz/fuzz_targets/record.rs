//! Any file is a record or a damaged one; what was read can be written and read again.
#![no_main]

use intercom_wire::json;
use intercom_agent::record::Record;
use intercom_agent::storage::{seal, unseal};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // Past the checksum too, which the fuzzer cannot guess.
    let plain = json::read::<Record>(bytes).ok();
    for record in [unseal::<Record>(bytes).ok(), plain].into_iter().flatten() {
        let sealed = seal(&record).expect("a record can be written");
        assert_eq!(unseal::<Record>(&sealed).expect("and read"), record);
    }
});
