//! Decides.
/// x
pub struct PlanInput;
/// x
pub fn plan() {}
