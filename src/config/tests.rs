//! The configuration as a specification.
