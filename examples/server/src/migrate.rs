//! `smscode-server migrate`: the schema of the Postgres database, and the role that the server runs under.

use smscode_core::store::StoreError;
use smscode_storage_postgres::Migrated;

use crate::config::Hidden;

/// Why nothing, or not all, was done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct MigrateError(#[from] StoreError);

impl MigrateError {
    /// Stable code of the error.
    pub const fn code(&self) -> &'static str {
        self.0.code()
    }

    /// Whether running it again may help, with nothing changed.
    pub const fn is_passing(&self) -> bool {
        matches!(self.0, StoreError::Unavailable { .. })
    }
}

/// Migrates, and says what was done.
///
/// # Errors
///
/// [`MigrateError`]: the server is away, or refuses.
pub async fn migrate(admin_url: &Hidden, store: &Hidden) -> Result<String, MigrateError> {
    let done = smscode_storage_postgres::migrate(admin_url.reveal(), Some(store.reveal())).await?;
    Ok(told(&done))
}

fn told(done: &Migrated) -> String {
    let Migrated { before, now, role } = done;
    let schema = match now.saturating_sub(*before) {
        0 => format!("schema: {now} migrations there, nothing to do"),
        run => format!("schema: {before} migrations there, {run} run, {now} there now"),
    };
    match role {
        Some((name, made)) => {
            let role = if *made { "made" } else { "there already, password unchanged" };
            format!("{schema}\nrole {name}: {role}; may read and write rows, and nothing else")
        }
        None => schema,
    }
}

#[cfg(test)]
mod tests {
    use smscode_storage_postgres::Migrated;

    use super::told;

    #[test]
    fn what_was_done_is_told() {
        let role = |made| Some(("shop".to_owned(), made));
        let first = told(&Migrated { before: 0, now: 15, role: role(true) });
        assert_eq!(
            first,
            "schema: 0 migrations there, 15 run, 15 there now\nrole shop: made; may read and write rows, and nothing else"
        );
        let again = told(&Migrated { before: 15, now: 15, role: role(false) });
        assert!(again.contains("nothing to do") && again.contains("password unchanged"), "{again}");
    }
}
