//! x
use super::*;
/// x
pub fn seed(fresh: u64) -> Result<u64, Failure> {
    Ok(fresh)
}
/// x
pub async fn check<F: Fixture>(_g: usize, _s: u64, _n: usize) -> Result<(), Failure> {
    Ok(())
}
