//! Several billing processes on one PostgreSQL database: who leads, and how a database gets there.

#![allow(clippy::expect_used, reason = "how a test fails")]

mod copy;
mod leader;
mod process;
