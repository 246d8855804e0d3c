//! Limits of the storage contract (rule 8), the same for every store.

/// Entries in one ChangeSet: a bulk of 100 orders needs about 700.
pub const ENTRIES_MAX: usize = 1_024;

/// Bytes in one ChangeSet, bodies and keys together: what a document database takes in one transaction.
pub const CHANGE_SET_BYTES_MAX: usize = 1 << 20;

/// Bytes in one body.
pub const BODY_BYTES_MAX: usize = 64 << 10;

/// Levels in one body: what every JSON reader takes.
pub const BODY_DEPTH_MAX: usize = 16;

/// Bytes in one part of a key, an index term, a transfer id, or a name of a counter or a house account.
pub const KEY_PART_BYTES_MAX: usize = 128;

/// Bytes in each text of a transfer (subject, reason, actor).
pub const TRANSFER_TEXT_BYTES_MAX: usize = 256;

/// Index terms of one record.
pub const TERMS_MAX: usize = 16;

/// Records that one `DeleteOwned` removes: more sessions or tokens than an account can have.
pub const OWNED_MAX: usize = 1_024;

/// Rows on one page of a scan.
pub const PAGE_ROWS_MAX: usize = 1_000;

/// Keys in one load.
pub const LOAD_KEYS_MAX: usize = 2_048;

/// The largest amount of a transfer, of a bucket, and of all transfers of a ChangeSet together: the sums of a group of
/// 512 stay within i64.
pub const AMOUNT_MAX: i64 = 1 << 53;

/// How long an operation id is remembered, in hours of header time (rule 5).
pub const OPERATION_HOURS: i64 = 48;

/// Operation ids forgotten per group, so that cleaning up never makes a commit slow.
pub const OPERATIONS_FORGOTTEN_MAX: usize = 256;
