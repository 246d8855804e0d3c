//! The supplier suite on the client of the SMS-Activate protocol, in each of its dialects.

#[path = "rig/mod.rs"]
mod rig;

use rig::{Rig, block_on};

mod sms_activate {
    use super::*;
    smscode_core::supplier_suite!(Rig<0>, block_on);
}

mod smscode {
    use super::*;
    smscode_core::supplier_suite!(Rig<1>, block_on);
}

mod herosms {
    use super::*;
    smscode_core::supplier_suite!(Rig<2>, block_on);
}

mod grizzlysms {
    use super::*;
    smscode_core::supplier_suite!(Rig<3>, block_on);
}

mod smshub {
    use super::*;
    smscode_core::supplier_suite!(Rig<4>, block_on);
}
