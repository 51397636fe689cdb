//! The replacement that most tests are about: which identity becomes which, and the request for it.

use serde_json::{Value, json};

/// The MAC of the board as it was made.
pub const OLD: &str = "AA:BB:CC:DD:EE:FE";
/// The serial number of the board as it was made.
pub const FACTORY_SERIAL: &str = "FACTORY-1";
/// The MAC that is asked for.
pub const NEW: &str = "22:0D:CE:38:E7:15";
/// The MAC of another board.
pub const OTHER: &str = "AA:BB:CC:00:00:02";
/// The model of the board.
pub const MODEL: &str = "3516EV200";

/// The request that makes `OLD` `NEW`, as billing offers it.
pub fn request(id: &str) -> Value {
    json!({
        "request_id": id, "mac": OLD, "target": {"mac": OLD},
        "new_mac": NEW, "new_serial_number": "NEW-1", "model": MODEL,
        "log_extra": {"some": "information"},
    })
}
