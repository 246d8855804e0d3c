//! The supplier suite on the client of the SMS-Activate protocol, in each of its dialects.

#[path = "rig/mod.rs"]
mod rig;

use rig::{Rig, Sound, block_on};

mod sms_activate {
    use super::*;
    smscode_core::supplier_suite!(Rig<Sound<0>>, block_on);
}

mod smscode {
    use super::*;
    smscode_core::supplier_suite!(Rig<Sound<1>>, block_on);
}

mod herosms {
    use super::*;
    smscode_core::supplier_suite!(Rig<Sound<2>>, block_on);
}

mod grizzlysms {
    use super::*;
    smscode_core::supplier_suite!(Rig<Sound<3>>, block_on);
}

mod smshub {
    use super::*;
    smscode_core::supplier_suite!(Rig<Sound<4>>, block_on);
}
