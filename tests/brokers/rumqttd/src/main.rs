//! rumqttd: `intercom-rumqttd FILE`, with its configuration in FILE. It logs to standard output.

use std::error::Error;
use std::{env, fs};

use rumqttd::{Broker, Config};

fn main() -> Result<(), Box<dyn Error>> {
    let file = env::args().nth(1).ok_or("usage: intercom-rumqttd FILE")?;
    let config: Config = toml::from_str(&fs::read_to_string(file)?)?;
    tracing_subscriber::fmt().with_ansi(false).init();
    Broker::new(config).start()?;
    Ok(())
}
