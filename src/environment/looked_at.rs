//! What was found of the environment when the board was looked at. A held lock takes seconds, so it is
//! looked at once.

use std::fmt;

use uboot_env::{Environment, Error, Health, Layout, Origin, Store};

use crate::record::Reading;
use crate::root::Root;

/// The environment as it was found.
#[derive(Debug)]
pub enum LookedAt {
    /// There is none.
    Absent,
    /// It was read. Perhaps no copy of it is whole.
    Found {
        /// Where it is.
        layout: Layout,
        /// How that is known.
        origin: Origin,
        /// Its content.
        environment: Environment,
    },
    /// Where it is cannot be told, or it cannot be read.
    Unreadable(Error),
}

impl LookedAt {
    /// Looks at this board's environment; changes nothing.
    pub fn now(root: &Root) -> Self {
        let root = root.path("/");
        let look = || {
            let Some((layout, origin)) = Layout::find(&root)? else { return Ok(LookedAt::Absent) };
            let environment = Store::open(&root, &layout)?.read()?;
            Ok(LookedAt::Found { layout, origin, environment })
        };
        look().unwrap_or_else(LookedAt::Unreadable)
    }

    /// The environment, if a copy of it is whole.
    pub fn whole(&self) -> Reading<&Environment> {
        match self {
            LookedAt::Absent => Reading::Absent,
            LookedAt::Found { environment, .. } if environment.health.good > 0 => {
                Reading::Found(environment)
            }
            LookedAt::Found { .. } | LookedAt::Unreadable(_) => Reading::Unreadable,
        }
    }

    /// One of its variables.
    pub fn variable(&self, name: &str) -> Reading<String> {
        match self.whole() {
            Reading::Found(environment) => {
                environment.get(name).map(|value| value.into_owned()).into()
            }
            Reading::Absent => Reading::Absent,
            Reading::Unreadable => Reading::Unreadable,
        }
    }

    /// How it is; `None` if there is none, or if it could not be read.
    pub fn health(&self) -> Option<Health> {
        match self {
            LookedAt::Found { environment, .. } => Some(environment.health),
            LookedAt::Absent | LookedAt::Unreadable(_) => None,
        }
    }

    /// Why nothing is known of its variables.
    pub fn warning(&self) -> Option<String> {
        let cannot =
            |why: &dyn fmt::Display| Some(format!("the U-Boot environment cannot be read: {why}"));
        match self {
            LookedAt::Unreadable(why) => cannot(why),
            LookedAt::Found { environment, .. } if environment.health.good == 0 => {
                cannot(&"no copy of it has a checksum that fits")
            }
            LookedAt::Found { .. } | LookedAt::Absent => None,
        }
    }
}
