//! The layers of `cargo xtask test`, as data. Add a layer here; nothing else has to know.

/// Minutes that all layers should take together, from nothing, on a machine with two cores that does nothing else. More is told.
pub(crate) const BUDGET_MINUTES: u64 = 35;

/// Minutes after which a run has failed whatever its tests say: no machine is so busy.
pub(crate) const LIMIT_MINUTES: u64 = 60;

/// Minutes one command of a layer may take; what hangs is killed and counts as failed. The longest takes nine on an idle machine.
pub(crate) const COMMAND_MINUTES: u64 = 25;

/// Targets whose passing tests print figures worth reading (seeds, recall, rates), by a part of `package::target`.
pub(crate) const SHOWS_FIGURES: &[&str] = &[
    "smscode-core",
    "conformance",
    "model",
    "propert",
    "crash",
    "simulat",
    "chain",
    "smscode-server",
    "bench",
    "broken",
];

/// How many of [`WAITS`] run at the same time.
pub(crate) const BESIDE_MAX: usize = 3;

/// Programs that leave more than half of two cores idle while they wait for kills, for servers to be ready and for a simulator's answers,
/// by `package::target`: they run beside each other when all others of their layer have run alone. The longest first.
pub(crate) const WAITS: &[&str] = &[
    "smscode-server::killed",
    "smscode-server::killed_pair",
    "smscode-server::stubs",
    "smscode-server::journeys",
    "smscode-server::hooks",
    "smscode-server::chained",
    "smscode-server::shapes",
    "smscode-server::openapi",
    "smscode-server::refusals",
    "smscode-providers::supplier_conformance",
    "smscode-providers::broken_suppliers",
    "smscode-providers::sms_activate",
    "custom-supplier::conformance",
    "quickstart::runs",
];

/// A step of the run with a time of its own.
#[derive(Debug)]
pub(crate) struct Layer {
    pub(crate) name: &'static str,
    pub(crate) run: Run,
}

/// What a layer does.
#[derive(Debug)]
pub(crate) enum Run {
    /// Finds or installs what the tests start by themselves.
    SetUp,
    /// All rules of `cargo xtask tidy`.
    Tidy,
    /// Compiles every test of the workspace once, with every feature.
    Build,
    /// Runs the compiled test targets that this picks and no earlier layer has picked.
    Targets(fn(&Which<'_>) -> bool),
    /// The examples in the documentation.
    Docs,
    /// Licences, banned crates and sources.
    Deny,
}

/// A test target, as far as choosing its layer needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Which<'a> {
    pub(crate) package: &'a str,
    /// Cargo's kind: `lib`, `bin`, `test`, `bench`, `example`.
    pub(crate) kind: &'a str,
    pub(crate) name: &'a str,
}

const fn layer(name: &'static str, run: Run) -> Layer {
    Layer { name, run }
}

/// Every layer in the order it runs. A target belongs to the first that picks it; the last one picks whatever is left.
pub(crate) const LAYERS: &[Layer] = &[
    layer("set up", Run::SetUp),
    layer("tidy", Run::Tidy),
    layer("build", Run::Build),
    layer("unit and rules", Run::Targets(|which| matches!(which.kind, "lib" | "bin"))),
    layer("properties and models", Run::Targets(|which| named(which, &["propert", "model", "crash", "simulat"]))),
    layer("conformance", Run::Targets(|which| named(which, &["conformance"]))),
    layer("server over HTTP", Run::Targets(|which| which.package == "smscode-server")),
    layer("everything else", Run::Targets(|_| true)),
    layer("doc tests", Run::Docs),
    layer("deny", Run::Deny),
];

fn named(which: &Which<'_>, parts: &[&str]) -> bool {
    parts.iter().any(|part| which.name.contains(part))
}

/// Whether the captured output of this target's passing tests is shown.
pub(crate) fn shows_figures(which: &Which<'_>) -> bool {
    let full = format!("{}::{}", which.package, which.name);
    SHOWS_FIGURES.iter().any(|part| full.contains(part))
}

/// The place of a target in [`WAITS`], if it is there.
pub(crate) fn waits_at(which: &Which<'_>) -> Option<usize> {
    let full = format!("{}::{}", which.package, which.name);
    WAITS.iter().position(|waits| *waits == full && which.kind == "test")
}

/// The place in [`LAYERS`] of the layer that runs this target.
pub(crate) fn layer_of(which: &Which<'_>) -> Option<usize> {
    LAYERS.iter().position(|layer| matches!(layer.run, Run::Targets(picks) if picks(which)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn each_target_has_its_layer() {
        let table = [
            (("smscode-core", "lib", "smscode_core"), "unit and rules"),
            (("smscode-server", "bin", "smscode-server"), "unit and rules"),
            (("smscode-core", "test", "store_model"), "properties and models"),
            (("smscode-storage-redb", "test", "conformance"), "conformance"),
            (("smscode-storage-postgres", "test", "conformance"), "conformance"),
            (("smscode-test-postgres", "test", "guardian"), "everything else"),
            (("smscode-server", "test", "v1"), "server over HTTP"),
            (("smscode-providers", "test", "handler_api"), "everything else"),
            (("a-new-crate", "a-new-kind", "unheard_of"), "everything else"),
        ];
        for ((package, kind, name), layer) in table {
            let found = layer_of(&Which { package, kind, name });
            assert_eq!(found.map(|at| LAYERS[at].name), Some(layer), "{package} {kind} {name}");
        }
    }

    #[test]
    fn those_that_wait_are_targets_of_the_workspace() {
        let packages = crate::workspace::read().unwrap().packages;
        for waits in WAITS {
            let known = packages.iter().any(|package| {
                let mut tested = package.tested.iter();
                tested.any(|(kind, name)| {
                    waits_at(&Which { package: &package.name, kind, name }).is_some_and(|at| WAITS[at] == *waits)
                })
            });
            assert!(known, "{waits}");
        }
    }

    #[test]
    fn the_set_up_comes_first() {
        assert!(matches!(LAYERS[0].run, Run::SetUp));
    }

    #[test]
    fn the_build_comes_before_every_target() {
        let build = LAYERS.iter().position(|layer| matches!(layer.run, Run::Build));
        let first = LAYERS.iter().position(|layer| matches!(layer.run, Run::Targets(_)));
        assert!(build.is_some() && build < first);
    }

    #[test]
    fn figures_are_shown_by_name() {
        assert!(shows_figures(&Which { package: "smscode-storage-redb", kind: "test", name: "conformance" }));
        assert!(!shows_figures(&Which { package: "xtask", kind: "bin", name: "xtask" }));
    }
}
