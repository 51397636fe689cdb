//! The billing service: the shipped operations on a database that outlives every run of them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use intercom_billing::mqtt::conversation::Conversation;
use intercom_billing::operations::{Billing, Refusal};
use intercom_billing::store::Store;
use intercom_billing::store::macs::Believed;
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use super::broker::LinkId;
use super::host::SimulatedHost;

/// The grace time, as the service has it by default.
pub const GRACE_MS: i64 = 5_000;

pub struct Service {
    pub host: Arc<SimulatedHost>,
    /// Whose claims count.
    pub believed: Believed,
    /// For the checks, and for mutants: billing does not know of it.
    pub database: Connection,
    pub running: Option<Running>,
    /// How often it was started.
    pub runs: u32,
    /// How many messages it has published.
    pub published: u64,
    /// How many messages and calls it had reason to answer.
    pub heard: u64,
    runtime: Runtime,
    file: PathBuf,
    _dir: TempDir,
}

/// One run of the process.
pub struct Running {
    pub billing: Billing,
    pub link: Option<Link>,
}

/// Its connection to the broker.
pub struct Link {
    pub id: LinkId,
    pub conversation: Conversation,
    /// When the last message that it published arrives.
    pub arrives: u64,
    /// A plan is about to be made.
    pub plans: bool,
}

impl Service {
    pub fn new(believed: Believed) -> Self {
        // In memory, where there is such a file system: each transaction is synced.
        let memory = Path::new("/dev/shm");
        let dir = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() };
        let dir = dir.expect("a directory");
        let file = dir.path().join("billing.sqlite");
        let host = Arc::new(SimulatedHost::new());
        drop(Store::open_on(&file, host.clone()).expect("a store"));
        let database = Connection::open(&file).expect("the database");
        // Its name is random in each database, and a log must not depend on it.
        database.execute("UPDATE service SET issuer = 'billing'", []).expect("a name");
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        Service {
            host,
            believed,
            database,
            running: None,
            runs: 0,
            published: 0,
            heard: 0,
            runtime,
            file,
            _dir: dir,
        }
    }

    pub fn start(&mut self) {
        let store = Store::open_on(&self.file, self.host.clone()).expect("a store");
        let started = Billing::start(store, GRACE_MS, self.believed, None);
        let billing = self.runtime.block_on(started).expect("billing starts");
        self.running = Some(Running { billing, link: None });
        self.runs += 1;
    }

    /// The process is killed. What it has committed stays.
    pub fn kill(&mut self) {
        self.running = None;
    }

    pub fn billing(&self) -> Option<Billing> {
        self.running.as_ref().map(|running| running.billing.clone())
    }

    pub fn link(&mut self) -> Option<&mut Link> {
        self.running.as_mut()?.link.as_mut()
    }

    /// Runs one operation to its end.
    pub fn run<T>(
        &self,
        operation: impl Future<Output = Result<T, Refusal>>,
    ) -> Result<T, Refusal> {
        self.runtime.block_on(operation)
    }
}
