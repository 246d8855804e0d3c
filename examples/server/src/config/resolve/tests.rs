//! Precedence, misspellings, secrets.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;

use clap::Parser;

use super::{Cli, Config, ConfigError, Hidden, StoreChoice, resolve};

fn read(args: &[&str], file: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let cli = Cli::try_parse_from(["smscode-server"].iter().chain(args)).unwrap();
    let names = variables.iter().map(|(name, _)| (*name).to_owned());
    let variable = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, v)| (*v).to_owned());
    resolve(&cli, Some(("test.toml", file)), names, &variable)
}

fn error(args: &[&str], file: &str, variables: &[(&str, &str)]) -> String {
    read(args, file, variables).unwrap_err().to_string()
}

#[test]
fn a_flag_counts_before_the_file_and_the_file_before_the_default() {
    let file = "listen = \"127.0.0.1:1\"\ndata_dir = \"x\"\n[prices]\nmarkup_ppm = 5\n[rates]\nusd_idr = 15000";
    let config = read(&["--listen", "127.0.0.1:2"], file, &[]).unwrap();
    assert_eq!(config.listen.port(), 2);
    assert_eq!(config.store, StoreChoice::Redb(PathBuf::from("x/smscode.redb")));
    assert_eq!(config.platform.price_rule.markup_ppm, 5);
    assert_eq!(config.rates[0].2, 15_000);
    let config = read(&[], "", &[]).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.rates[0].2, 16_000, "the sandbox has a rate");
    assert!(config.is_sandbox());
}

#[test]
fn what_is_misspelled_is_named_with_the_nearest_right_one() {
    let cases = [
        (error(&[], "lisen = \"x\"", &[]), "test.toml: there is no setting lisen; did you mean listen?"),
        (
            error(&[], "[timing]\npol_first_ms = 1", &[]),
            "test.toml, [timing]: there is no setting pol_first_ms; did you mean poll_first_ms?",
        ),
        (
            error(&[], "[[supplier]]\nname = \"a\"\ndialekt = \"b\"", &[]),
            "test.toml, [supplier]: there is no setting dialekt; did you mean dialect?",
        ),
        (
            error(&[], "", &[("SMSCODE_LISTN", "x")]),
            "variables: there is no setting SMSCODE_LISTN; did you mean SMSCODE_LISTEN?",
        ),
        (error(&[], "nonsense_of_mine = 1", &[]), "test.toml: there is no setting nonsense_of_mine"),
    ];
    for (found, expected) in cases {
        assert_eq!(found, expected);
    }
}

#[test]
fn bad_values_are_named_and_secrets_are_not_repeated() {
    let supplier = |rest: &str| format!("[[supplier]]\nname = \"a\"\ndialect = \"smscode\"\n{rest}");
    let secret = "planted0secret";
    let pushing =
        |rest: &str| format!("{}\n{rest}\n", supplier("base_url = \"http://127.0.0.1:9/x\"\napi_key = \"k\""));
    let path = format!("push_path = \"{}\"", "a".repeat(32));
    let cases = [
        (
            error(&["--store", &format!("mysql://u:{secret}@h/d")], "", &[]),
            "store: must be redb:PATH, memory or postgres://user:password@host/database",
        ),
        (error(&[], "[postgres]\nreaders = 33", &[]), "readers: 33 is not from 1 to 32"),
        (error(&[], "worker_threads = 0", &[]), "worker_threads: 0 is not from 1 to 256"),
        (error(&[], "", &[("SMSCODE_DEMO_TOKEN", secret)]), "SMSCODE_DEMO_TOKEN: must be 32 letters and digits"),
        (
            error(&[], &supplier(&format!("api_key = \"{secret}\"")), &[]),
            "supplier a, base_url: this dialect has no address of its own: it is needed",
        ),
        (
            error(&[], &supplier("api_key_env = \"SUP_KEY\""), &[]),
            "supplier a, api_key: the variable SUP_KEY is not set",
        ),
        (error(&[], "[breaker]\npause_ms = 5", &[]), "pause_ms: 5 is not from 100 to 3600000"),
        (
            error(
                &[],
                "[[supplier]]\nname = \"a\"\ndialect = \"herosms\"\napi_key = \"k\"\nlow_balance = \"5,0\"",
                &[],
            ),
            "supplier a, low_balance: must be an amount in its currency, such as \"5.00\"",
        ),
        (
            error(&[], "[[supplier]]\nname = \"a\"\ndialect = \"herosm\"\napi_key = \"k\"", &[]),
            "supplier a, dialect: there is no such dialect; did you mean herosms?",
        ),
        (
            error(&[], &pushing(&format!("push_path = \"{secret}\"")), &[]),
            "supplier a, push_path: must be 32 to 128 random letters, digits, - or _",
        ),
        (
            error(&[], &format!("{0}{1}", pushing(&path), pushing(&path).replace("\"a\"", "\"b\"")), &[]),
            "supplier b, push_path: must differ from the other suppliers' paths",
        ),
        (error(&[], &pushing("push_path_env = \"PUSH\""), &[]), "supplier a, push_path: the variable PUSH is not set"),
    ];
    for (found, expected) in cases {
        assert_eq!(found, expected);
    }
    let broken = error(&[], &format!("[[supplier]]\napi_key = \"{secret}"), &[]);
    assert!(broken.starts_with("test.toml: line 2:") && !broken.contains(secret), "{broken}");
    let wrong_type = error(&[], &supplier(&format!("api_key = [\"{secret}\"]")), &[]);
    assert!(!wrong_type.contains(secret), "{wrong_type}");
}

#[test]
fn debug_shows_no_secret() {
    let secret = "planted0secret";
    let file = format!(
        "[rates]\nusd_idr = 16000\n[[supplier]]\nname = \"a\"\ndialect = \"smscode\"\nbase_url = \"http://127.0.0.1:9/x\"\n\
         api_key = \"{secret}\"\npush_path = \"{secret}{secret}{secret}\"\n[[customer]]\nname = \"shop\"\ntoken_env = \"SHOP\"\nopening_credit = 5"
    );
    let token = "abcdefghijklmnopqrstuvwxyz012345";
    let config = read(&[], &file, &[("SHOP", token)]).unwrap();
    assert!(!config.is_sandbox() && config.customers[0].opening_minor == 5);
    let shown = format!("{config:?}");
    assert!(!shown.contains(secret) && !shown.contains(token), "{shown}");
    let address = format!("postgres://u:{secret}@h/d");
    let config = read(&[], &format!("store = \"{address}\"\n[postgres]\ncommitters = 3"), &[]).unwrap();
    assert_eq!((config.store.clone(), config.postgres.committers), (StoreChoice::Postgres(Hidden::new(&address)), 3));
    let cli = Cli::try_parse_from(["smscode-server", "migrate", "--store", &address, "--admin-url", &address]).unwrap();
    for shown in [format!("{config:?}"), format!("{cli:?}"), config.store.shown()] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn the_sample_file_is_what_the_program_reads() {
    let sample = include_str!("../../../smscode.example.toml");
    // as it is: nothing is set, so it is a sandbox
    assert!(read(&[], sample, &[]).unwrap().is_sandbox());
    // with its comments taken away everything in it is right
    let all: String =
        sample.lines().map(|line| line.strip_prefix("#: ").unwrap_or(line)).flat_map(|line| [line, "\n"]).collect();
    let path = "p".repeat(32);
    let variables =
        [("SMSCODE_HERO_KEY", "k"), ("SMSCODE_HERO_PUSH", &*path), ("SHOP_TOKEN", "abcdefghijklmnopqrstuvwxyz012345")];
    let config = read(&[], &all, &variables).unwrap();
    assert_eq!((config.suppliers.len(), config.pushes.len(), config.customers.len()), (2, 1, 1));
    assert_eq!(config.drains, [("partner".to_owned(), false)]);
    assert_eq!(config.platform.low_balances["partner"], 5);
    assert_eq!(config.platform.breaker, smscode_core::routing::BreakerRule::default(), "the sample says the defaults");
}
