//! A backup in the making.

use std::collections::BTreeMap;

use super::format::Encoder;
use super::{CopyError, Header, Portable, Rows, Summary};
use crate::time::Timestamp;

/// The bytes of a backup, piece by piece.
pub struct Backup {
    rows: Rows,
    header: Header,
    encoder: Encoder,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Header,
    Rows,
    Over,
}

impl Backup {
    /// Of everything that is in a store now. `host` is written into its header.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn of(store: &dyn Portable, time: Timestamp, host: BTreeMap<String, String>) -> Result<Self, CopyError> {
        let name = store.describe().await?.name.to_owned();
        let rows = Rows::of(store.export().await?);
        let header = Header { time, store: name, host, totals: rows.totals().clone() };
        Ok(Self { rows, header, encoder: Encoder::default(), state: State::Header })
    }

    /// The next bytes, perhaps none; `None` when there were all. What ends before is no backup, and is noticed.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, CopyError> {
        match self.state {
            State::Header => {
                self.state = State::Rows;
                self.encoder.header(&self.header).map(Some)
            }
            State::Rows => match self.rows.next().await? {
                Some(rows) => self.encoder.rows(&rows).map(Some),
                None => {
                    self.state = State::Over;
                    self.encoder.trailer().map(Some)
                }
            },
            State::Over => Ok(None),
        }
    }

    /// What it is of.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// What is in it so far.
    pub fn summary(&self) -> Summary {
        self.encoder.summary()
    }
}

impl std::fmt::Debug for Backup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Backup").field("header", &self.header).finish_non_exhaustive()
    }
}
