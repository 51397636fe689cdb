//! `config`: whether the configuration is good, and what is in force.

use serde_json::json;

use super::args::Config;
use super::exit::{Exit, Failure};
use super::output;
use crate::board::Link;
use crate::config::load_with_in_force;
use crate::doctor::files;

pub(super) fn config(config: &Config) -> Result<Exit, Failure> {
    let common = config.common();
    let named = config.file.as_deref().or(common.config.as_deref());
    let root = super::root(&common)?;
    let (settings, in_force) = load_with_in_force(&root, named).map_err(Failure::usage)?;
    let mut problems = files::problems(&settings, &root, true);
    problems.extend(settings.require_upstream(&root).err().map(|why| why.to_string()));
    if common.json {
        let answer = json!({"settings": in_force.into_json(), "problems": problems});
        output::print(true, &answer, ToString::to_string)?;
    } else {
        output::words(&in_force.as_toml())?;
        problems.iter().for_each(|problem| output::complain(problem));
        // It may be there later, or on another board.
        if let Err(why) = Link::new(root, &settings.interface).mac() {
            output::complain(&format!("warning: {why}"));
        }
    }
    Ok(if problems.is_empty() { Exit::Done } else { Exit::Usage })
}
