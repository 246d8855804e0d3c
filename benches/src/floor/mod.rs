//! The floor of a store: what its engine does by itself. On memory there is none: nothing is synced there, so the
//! quotient would only say what the rules cost against a map.

mod embedded;
mod sql;

use std::path::Path;
use std::time::Duration;

use crate::Failure;
use crate::store::Measured;
use embedded::Embedded;
use sql::Sql;

pub(crate) enum Floor {
    Embedded(Embedded),
    Sql(Sql),
}

impl Floor {
    pub(crate) async fn open(store: &Measured, dir: &Path) -> Result<Option<Self>, Failure> {
        Ok(match store {
            Measured::Memory(_) => None,
            Measured::Redb(_) => Some(Self::Embedded(Embedded::open(dir)?)),
            Measured::Postgres { cluster, .. } => Some(Self::Sql(Sql::open(cluster).await?)),
        })
    }

    /// Works for so long, in groups of so many operations where the engine is given groups; how many operations, and the
    /// seconds they took.
    pub(crate) async fn run(&self, group: usize, time: Duration) -> Result<(u64, f64), Failure> {
        match self {
            // the workers of the platform have nothing to do now, so this may take a thread of theirs
            Self::Embedded(floor) => tokio::task::block_in_place(|| floor.run(group, time)),
            Self::Sql(floor) => floor.run(time).await,
        }
    }

    /// What `pgbench -N` does on the same server, where there is one.
    pub(crate) const fn pgbench_per_s(&self) -> Option<f64> {
        match self {
            Self::Embedded(_) => None,
            Self::Sql(floor) => floor.pgbench_per_s,
        }
    }
}
