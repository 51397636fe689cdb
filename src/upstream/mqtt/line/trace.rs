//! What a line remembers: when something last passed, and how it ended.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::upstream::cause::Cause;

/// What one line remembers; shared by the line and its session.
#[derive(Debug, Clone)]
pub(in crate::upstream::mqtt) struct Trace(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// When a byte last passed, either way.
    last_byte: Instant,
    /// Whether the broker is in the middle of a packet.
    in_packet: bool,
    /// How it ended, and after how long a silence.
    ended: Option<(Cause, Duration)>,
}

impl Trace {
    pub(in crate::upstream::mqtt) fn new() -> Self {
        Trace(Arc::new(Mutex::new(State {
            last_byte: Instant::now(),
            in_packet: false,
            ended: None,
        })))
    }

    /// Bytes have passed to the broker.
    pub(super) fn said(&self) {
        self.state().last_byte = Instant::now();
    }

    /// Bytes have come from the broker; whether the packet is to go on.
    pub(super) fn heard(&self, in_packet: bool) {
        let mut state = self.state();
        state.last_byte = Instant::now();
        state.in_packet = in_packet;
    }

    /// Whether the broker is in the middle of a packet, so that nothing else can have come meanwhile.
    pub(in crate::upstream::mqtt) fn is_in_packet(&self) -> bool {
        self.state().in_packet
    }

    /// The far end has ended.
    pub(super) fn ends(&self, why: Cause) {
        let mut state = self.state();
        let silence = state.last_byte.elapsed();
        state.ended = Some((why, silence));
    }

    /// How the far end has ended and after how long a silence; `None` if it has not, and the library gave
    /// up by itself.
    pub(in crate::upstream::mqtt) fn take_end(&self) -> Option<(Cause, Duration)> {
        self.state().ended.take()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
