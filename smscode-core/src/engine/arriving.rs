//! Numbers on their way into an order. Two purchases that bring the same number at the same moment do not see each other
//! in the store yet; here they do. Other nodes are found in the store, by the activation's record.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::port::Activation;

/// Numbers that are being attached on this node, with their activations. As many as purchases are under way.
#[derive(Default)]
pub(super) struct Arrivals(Mutex<BTreeMap<String, String>>);

/// A number that is being attached; forgotten when dropped, by then the store knows it.
pub(super) struct Arriving<'a> {
    arrivals: &'a Arrivals,
    phone: String,
}

/// A number that somebody else is attaching.
pub(super) struct Twin {
    /// Whether it is the very same activation.
    pub(super) same_activation: bool,
}

impl Arrivals {
    pub(super) fn begin(&self, got: &Activation) -> Result<Arriving<'_>, Twin> {
        let mut phones = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(activation) = phones.get(&got.phone) {
            return Err(Twin { same_activation: *activation == got.id.0 });
        }
        phones.insert(got.phone.clone(), got.id.0.clone());
        Ok(Arriving { arrivals: self, phone: got.phone.clone() })
    }
}

impl Drop for Arriving<'_> {
    fn drop(&mut self) {
        let mut phones = self.arrivals.0.lock().unwrap_or_else(PoisonError::into_inner);
        phones.remove(&self.phone);
    }
}
