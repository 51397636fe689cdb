//! The HTTP route as a specification.
