//! Several billing processes on one PostgreSQL database: who leads, and how a database gets there.

mod copy;
mod leader;
mod process;
