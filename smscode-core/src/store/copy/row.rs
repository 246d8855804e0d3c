//! A row, whichever store it is of.

use crate::money::Currency;
use crate::store::codec::{self, Unreadable, keys};
use crate::store::ordered::Table;
use crate::store::{
    CounterKey, Event, Head, House, Key, OperationId, Owner, Record, StoredOperation, Totals, Transfer,
};

/// A row of a store. Places in indexes and ids of transfers follow from the others and are none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoredRow {
    /// A record with its terms.
    Record(Key, Record),
    /// An account's head.
    Head(Owner, Head),
    /// A counter.
    Counter(CounterKey, i64),
    /// A transfer, of an account or between house accounts.
    Transfer(Transfer),
    /// An event.
    Event(Event),
    /// A remembered operation.
    Operation(OperationId, StoredOperation),
    /// How many transfers and open holds a currency has.
    Tally {
        /// The currency.
        currency: Currency,
        /// Transfers.
        transfers: u64,
        /// Holds that are neither captured nor released.
        open_holds: u64,
    },
    /// The sum of a house account.
    House(Currency, House, i128),
}

impl StoredRow {
    /// The table in whose form it is written.
    pub const fn table(&self) -> Table {
        match self {
            Self::Record(..) => Table::Records,
            Self::Head(..) => Table::Heads,
            Self::Counter(..) => Table::Counters,
            Self::Transfer(Transfer { entry: Some(_), .. }) => Table::Transfers,
            Self::Transfer(Transfer { entry: None, .. }) => Table::TransferIds,
            Self::Event(_) => Table::Events,
            Self::Operation(..) => Table::Operations,
            Self::Tally { .. } | Self::House(..) => Table::Totals,
        }
    }

    /// Its key in that table.
    pub fn key(&self) -> Vec<u8> {
        match self {
            Self::Record(key, _) => keys::record(key),
            Self::Head(owner, _) => owner.0.to_vec(),
            Self::Counter(counter, _) => keys::counter(counter),
            Self::Transfer(transfer) => match transfer.entry {
                Some(entry) => keys::numbered(entry.owner, entry.number).to_vec(),
                None => transfer.id.0.clone(),
            },
            Self::Event(event) => keys::numbered(event.owner, event.number).to_vec(),
            Self::Operation(id, _) => id.0.to_vec(),
            Self::Tally { currency, .. } => keys::tally(*currency),
            Self::House(currency, house, _) => keys::house(*currency, house),
        }
    }

    /// Appends its value.
    pub fn put_value(&self, out: &mut Vec<u8>) {
        match self {
            Self::Record(_, record) => codec::put_record(out, record),
            Self::Head(_, head) => codec::put_head(out, head),
            Self::Counter(_, value) => codec::put_counter(out, *value),
            Self::Transfer(transfer) => codec::put_transfer(out, transfer),
            Self::Event(event) => codec::put_event(out, event),
            Self::Operation(_, operation) => codec::put_operation(out, operation),
            Self::Tally { transfers, open_holds, .. } => codec::put_tally(out, *transfers, *open_holds),
            Self::House(_, _, sum) => codec::put_house(out, *sum),
        }
    }

    /// Reads a row back. `None` for what follows from other rows.
    ///
    /// # Errors
    ///
    /// It is not in the form of this table.
    pub fn read(table: Table, key: &[u8], value: &[u8]) -> Result<Option<Self>, Unreadable> {
        let id = |what| key.try_into().map_err(|_| Unreadable(what));
        Ok(Some(match table {
            Table::Records => Self::Record(keys::read_record(key)?, codec::read_record(value)?),
            Table::Heads => Self::Head(Owner(id("the key of a head")?), codec::read_head(value)?),
            Table::Counters => Self::Counter(keys::read_counter(key)?, codec::read_counter(value)?),
            Table::Transfers => Self::Transfer(codec::read_transfer(key, value)?),
            Table::TransferIds if value.is_empty() => return Ok(None),
            Table::TransferIds => {
                let transfer = codec::read_house_transfer(value)?;
                let fits = transfer.id.0 == key;
                Self::Transfer(fits.then_some(transfer).ok_or(Unreadable("the id of a transfer"))?)
            }
            Table::Events => Self::Event(codec::read_event(key, value)?),
            Table::Operations => {
                Self::Operation(OperationId(id("the id of an operation")?), codec::read_operation(value)?)
            }
            Table::Totals => match keys::read_total(key)? {
                (currency, None) => {
                    let (transfers, open_holds) = codec::read_tally(value)?;
                    Self::Tally { currency, transfers, open_holds }
                }
                (currency, Some(house)) => Self::House(currency, house, codec::read_house(value)?),
            },
            Table::Terms | Table::OperationGroups => return Ok(None),
        }))
    }

    /// The rows of sums, in their order.
    pub(super) fn sums(totals: &Totals) -> Vec<Self> {
        let mut rows = Vec::new();
        for (currency, line) in &totals.currencies {
            let (transfers, open_holds) = (line.transfers, line.open_holds);
            rows.push(Self::Tally { currency: *currency, transfers, open_holds });
            rows.extend(line.house.iter().map(|(house, sum)| Self::House(*currency, house.clone(), *sum)));
        }
        rows
    }

    /// Adds what it says to totals that are made of rows.
    pub(super) fn add_to(&self, totals: &mut Totals) {
        match self {
            Self::Head(_, head) => totals.add_head(head),
            Self::Tally { currency, transfers, open_holds } => {
                let line = totals.currencies.entry(*currency).or_default();
                (line.transfers, line.open_holds) = (*transfers, *open_holds);
            }
            Self::House(currency, house, sum) => {
                totals.currencies.entry(*currency).or_default().house.insert(house.clone(), *sum);
            }
            Self::Record(..) | Self::Counter(..) | Self::Transfer(_) | Self::Event(_) | Self::Operation(..) => {}
        }
    }
}
