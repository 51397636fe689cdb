//! The board's own identity: what could not be read is no fact, and what is foreign is not its own.

mod interface;
mod name;
mod restore;
mod serial_number;
mod syncs;
mod uboot_board;
mod unreadable;
