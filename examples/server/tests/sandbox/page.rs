//! The page for testers has each scenario and no other.

use std::collections::BTreeSet;

use smscode_providers::sandbox::SCENARIOS;

#[test]
fn the_page_has_each_scenario() {
    let page = include_str!("../../../../docs/sandbox.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `sbx_"));
    let told: Vec<String> = rows.filter_map(|row| Some(format!("sbx_{}", row.split_once('`')?.0))).collect();
    let served: BTreeSet<String> = SCENARIOS.iter().map(|one| one.code.to_owned()).collect();
    assert_eq!(told.iter().cloned().collect::<BTreeSet<_>>(), served);
    assert_eq!(told.len(), served.len(), "a scenario is told twice");
}
