//! A throw-away Postgres to look around in: prints the url of an empty database, and ends with its input (or with Ctrl-C).
#![allow(clippy::print_stdout, reason = "a command line tool talks on its output")]
#![allow(clippy::expect_used, reason = "a part of tests")]

fn main() {
    let server = smscode_test_postgres::shared();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let database = runtime.block_on(server.database());
    println!("{}", database.url());
    let _ended = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
}
