//! The broker's addresses.

use super::Broker;

/// The URLs of one broker, in the order in which they are tried: one at least, none twice, and either
/// all of them over TLS or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brokers {
    all: Vec<Broker>,
    tls: bool,
}

impl Brokers {
    /// # Errors
    /// What is wrong with the list, in words.
    pub fn new(all: Vec<Broker>) -> Result<Self, &'static str> {
        let tls = all.first().ok_or("the list is empty: it needs a URL")?.tls;
        if all.iter().any(|broker| broker.tls != tls) {
            return Err("either all of them are mqtts:// or none is");
        }
        match (1..all.len()).any(|at| all[..at].contains(&all[at])) {
            true => Err("it has a URL twice"),
            false => Ok(Brokers { all, tls }),
        }
    }

    /// All of them.
    pub fn all(&self) -> &[Broker] {
        &self.all
    }

    /// The one whose turn it is: behind the last comes the first again.
    pub fn at(&self, turn: usize) -> &Broker {
        &self.all[turn % self.all.len()]
    }

    /// Whether they are reached over TLS.
    pub fn tls(&self) -> bool {
        self.tls
    }
}

#[cfg(test)]
#[cfg(feature = "mqtt")]
mod tests {
    use std::path::Path;

    use crate::config::load::parse_with_in_force;
    use crate::config::parse;

    fn brokers(url: &str) -> Result<Vec<String>, String> {
        let text = format!("[mqtt]\nurl = {url}\n");
        let settings = parse(&text, Path::new("a.toml")).map_err(|why| why.to_string())?;
        let mqtt = settings.mqtt.expect("a section");
        Ok((0..4).map(|turn| mqtt.brokers.at(turn).to_string()).collect())
    }

    fn wrong(url: &str) -> String {
        brokers(url).expect_err("it is wrong")
    }

    #[test]
    fn one_url_is_a_text_and_several_are_a_list_and_they_take_turns() {
        let a = "mqtt://a:1883".to_owned();
        for one in ["\"mqtt://a\"", "[\"mqtt://a\"]"] {
            assert_eq!(brokers(one), Ok(vec![a.clone(); 4]));
        }
        let b = "mqtt://b:42".to_owned();
        let two = "[\"mqtt://a\", \"mqtt://b:42\"]";
        assert_eq!(brokers(two), Ok(vec![a.clone(), b.clone(), a, b]));
    }

    #[test]
    fn what_is_in_force_is_as_it_was_written() {
        for url in ["\"mqtt://a\"", "[\"mqtt://a\",\"mqtt://b\"]"] {
            let line = format!("url = {url}\n");
            let text = format!("[mqtt]\n{line}");
            let (_, in_force) = parse_with_in_force(&text, Path::new("a.toml")).expect("valid");
            assert!(in_force.as_toml().contains(&line), "{}", in_force.as_toml());
        }
    }

    #[test]
    fn a_list_is_neither_empty_nor_mixed_and_names_each_broker_once() {
        let at_url = "a.toml, line 2: `mqtt.url`: ";
        for (url, why) in [
            ("[]", "the list is empty: it needs a URL"),
            ("[\"mqtt://a\", \"mqtts://b\"]", "either all of them are mqtts:// or none is"),
            ("[\"mqtt://a\", \"mqtt://b\", \"mqtt://a:1883/\"]", "it has a URL twice"),
            ("[\"mqtt://a\", 5]", "it is of the type integer, expected a text in quotes"),
            ("5", "it is of the type integer, expected a text in quotes"),
        ] {
            assert_eq!(wrong(url), format!("{at_url}{why}"));
        }
    }

    #[test]
    fn a_wrong_url_is_told_with_its_own_line_and_without_its_password() {
        let why = wrong("[\n\"mqtt://a\",\n\"mqtt://user:hunter2@b\",\n]");
        assert!(why.starts_with("a.toml, line 4: `mqtt.url`: "), "{why}");
        assert!(why.contains("settings of their own") && !why.contains("hunter2"), "{why}");
    }
}
