//! What the database has seen: who wrote while another led, and what is there at the end.

use std::fmt;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::Safeguard;
use super::operator::Asked;

/// Whoever writes down that a board has come or gone must lead: no panel polls here.
const WATCH: &str = "
    CREATE TABLE witness (at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(), who TEXT, leads TEXT);
    CREATE FUNCTION witness() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO witness (who, leads) SELECT current_setting('application_name'), holder FROM leader
            WHERE holder <> current_setting('application_name');
        RETURN NULL;
    END $$;
    CREATE TRIGGER witness AFTER INSERT OR UPDATE OF nonce ON boards
        FOR EACH STATEMENT EXECUTE FUNCTION witness();";
/// The epoch stays what it is from the second leader on, so that each believes to lead.
const NO_EPOCHS: &str = "
    CREATE FUNCTION same_epoch() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN NEW.epoch := 1; RETURN NEW; END $$;
    CREATE TRIGGER same_epoch BEFORE UPDATE ON leader FOR EACH ROW EXECUTE FUNCTION same_epoch();";
/// Neither a constraint nor the lock of the writers: a function of the same name is found first.
const NO_CONSTRAINTS: &str = "
    DROP INDEX live_confirmed_mac, held_serial_number, held_desired_mac, held_desired_serial_number;
    CREATE FUNCTION public.pg_advisory_xact_lock(BIGINT) RETURNS VOID LANGUAGE sql AS $$ SELECT $$;
    ALTER DATABASE chaos SET search_path = public, pg_catalog;";

pub(super) struct Witness {
    database: String,
}

/// What was promised, and how often it was broken.
#[derive(Debug)]
pub(super) struct Verdict {
    installed: i64,
    lost_reports: i64,
    doubly_applied: i64,
    installed_by_nobody: i64,
    twice_one_mac: i64,
    never_ended: i64,
    other_than_claimed: i64,
    by_another_than_the_leader: i64,
}

impl Witness {
    pub(super) fn begin(database: &str, without: Option<Safeguard>) -> Result<Self> {
        let witness = Witness { database: database.to_owned() };
        witness.psql(WATCH)?;
        match without {
            None => {}
            Some(Safeguard::Epochs) => drop(witness.psql(NO_EPOCHS)?),
            Some(Safeguard::Constraints) => drop(witness.psql(NO_CONSTRAINTS)?),
        }
        Ok(witness)
    }

    pub(super) fn pending(&self) -> Result<i64> {
        self.count("SELECT count(*) FROM requests WHERE state = 'pending'")
    }

    /// `installed`: how often the panels say that they have installed something.
    pub(super) fn verdict(&self, installed: usize, asked: &Asked) -> Result<Verdict> {
        let told = i64::try_from(installed)?;
        let known = self.count("SELECT count(*) FROM requests WHERE state = 'installed'")?;
        let twice = self.count(
            "SELECT count(*) FROM (SELECT request_id FROM hardware WHERE request_id IS NOT NULL
                 GROUP BY request_id HAVING count(*) > 1) AS twice",
        )?;
        let twice_one_mac = self.count(
            "SELECT count(*) FROM (SELECT mac FROM (
                 SELECT id, confirmed_mac AS mac FROM intercoms WHERE deleted_ms IS NULL
                 UNION SELECT id, desired_mac FROM intercoms WHERE deleted_ms IS NULL) AS every
                 GROUP BY mac HAVING count(DISTINCT id) > 1) AS twice",
        )?;
        Ok(Verdict {
            installed: known,
            lost_reports: (told - known).max(0),
            doubly_applied: twice,
            installed_by_nobody: (known - told).max(0),
            twice_one_mac: twice_one_mac + i64::try_from(asked.both_got_it)?,
            never_ended: self.pending()?,
            other_than_claimed: self.count(
                "SELECT count(*) FROM intercoms i JOIN boards b ON b.board = i.board
                 WHERE i.deleted_ms IS NULL AND b.mac <> i.confirmed_mac",
            )?,
            by_another_than_the_leader: self.count("SELECT count(*) FROM witness")?,
        })
    }

    fn count(&self, statement: &str) -> Result<i64> {
        self.psql(statement)?.parse().context("no number")
    }

    fn psql(&self, statements: &str) -> Result<String> {
        let ran = Command::new("psql")
            .args([
                "--no-psqlrc",
                "--tuples-only",
                "--no-align",
                "--quiet",
                "-v",
                "ON_ERROR_STOP=1",
            ])
            .args(["--command", statements, &self.database])
            .output()
            .context("is psql installed?")?;
        ensure!(ran.status.success(), "psql: {}", String::from_utf8_lossy(&ran.stderr));
        Ok(String::from_utf8_lossy(&ran.stdout).trim().to_owned())
    }
}

impl Verdict {
    /// How often each promise was broken.
    fn broken(&self) -> [(&'static str, i64); 7] {
        [
            ("lost reports", self.lost_reports),
            ("doubly applied", self.doubly_applied),
            ("by nobody", self.installed_by_nobody),
            ("two with one MAC", self.twice_one_mac),
            ("never ended", self.never_ended),
            ("other than claimed", self.other_than_claimed),
            ("not by the leader", self.by_another_than_the_leader),
        ]
    }

    pub(super) fn is_good(&self) -> bool {
        self.broken().iter().all(|(_, count)| *count == 0)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<18} {}", "installed", self.installed)?;
        self.broken().iter().try_for_each(|(name, count)| write!(f, "\n{name:<18} {count}"))
    }
}
