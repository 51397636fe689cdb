//! What the steps found, as a table.

use std::fmt;
use std::time::Duration;

use crate::broker::Kind;
use crate::outcome::Outcome;
use crate::steps::{ALL, Step};

/// What one step found with one broker.
pub struct Row {
    /// The broker.
    pub kind: Kind,
    /// The step.
    pub step: &'static Step,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
}

/// Every step with every broker.
pub struct Table(pub Vec<Row>);

impl Table {
    /// How many ended so.
    pub fn count(&self, fits: impl Fn(Outcome) -> bool) -> usize {
        self.0.iter().filter(|row| fits(row.outcome)).count()
    }

    fn kinds(&self) -> impl Iterator<Item = Kind> {
        Kind::ALL.into_iter().filter(|kind| self.0.iter().any(|row| row.kind == *kind))
    }

    fn steps(&self) -> impl Iterator<Item = &'static Step> {
        ALL.iter().filter(|step| self.0.iter().any(|row| row.step.name == step.name))
    }

    fn cell(&self, step: &Step, kind: Kind) -> String {
        let row = self.0.iter().find(|row| row.kind == kind && row.step.name == step.name);
        row.map_or_else(String::new, |row| match row.outcome {
            Outcome::Passed => format!("passed {:.0} s", row.took.as_secs_f32()),
            Outcome::Failed => format!("FAILED {:.0} s", row.took.as_secs_f32()),
            Outcome::Skipped(_) => "skipped".to_owned(),
        })
    }
}

/// In Markdown: a row for each step, a column for each broker, and why steps were skipped.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "| {:<48} |", "step")?;
        for kind in self.kinds() {
            write!(f, " {kind:<12} |")?;
        }
        write!(f, "\n| {:-<48} |", "")?;
        for _ in self.kinds() {
            write!(f, " {:-<12} |", "")?;
        }
        for step in self.steps() {
            write!(f, "\n| {:<48} |", step.name)?;
            for kind in self.kinds() {
                write!(f, " {:<12} |", self.cell(step, kind))?;
            }
        }
        writeln!(f, "\n")?;
        for row in &self.0 {
            if let Outcome::Skipped(why) = row.outcome {
                writeln!(f, "skipped: {}: {}: {why}", row.kind, row.step.name)?;
            }
        }
        Ok(())
    }
}
