//! `terrane destroy`: the plan of an empty environment.

use engine_converge::predict::Purpose;
use engine_render::Operation;

use crate::args::{Running, Target};
use crate::commands::apply::{Approval, carry_out};
use crate::commands::plan::{Subject, make};
use crate::error::{CommandError, Exit};
use crate::lock::require_unlocked;
use crate::session::{Context, Session, Workspace};

/// Plans the deletion of everything, asks and carries it out.
pub async fn run(target: &Target, running: &Running, context: Context) -> Result<Exit, CommandError> {
    // What the definition reads is of no concern here, and may be gone.
    let mut session = Session::connect(Workspace::open(target)?, context).await?;
    require_unlocked(&session)?;
    session.draw_lineage()?;
    let planned = make(&session, &Subject::nothing_of(&session.definition), Purpose::Apply).await?;
    let approval = Approval {
        operation: Operation::Destroy,
        question: "Do you want to delete everything that this environment has created?",
        expected: None,
    };
    carry_out(session, planned, (&approval, running), context).await
}
