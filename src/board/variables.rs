//! The variables of the U-Boot environment, as the survey asks for them.

use crate::record::Reading;

/// Looks up a variable.
pub type Variables<'a> = dyn Fn(&str) -> Reading<String> + 'a;
