//! `terrane destroy`: the plan of an empty environment.

use engine_converge::predict::Purpose;
use engine_render::Operation;

use crate::args::{Part, Running, Target};
use crate::commands::apply::{Approval, carry_out};
use crate::commands::plan::make;
use crate::error::{CommandError, Exit};
use crate::lock::require_unlocked;
use crate::session::{Context, Session, Workspace};
use crate::subject::Subject;

/// Plans the deletion of everything, asks and carries it out.
pub async fn run(
    target: &Target,
    part: &Part,
    running: &Running,
    context: Context,
) -> Result<Exit, CommandError> {
    // What the definition reads is of no concern here, and may be gone.
    let mut session = Session::connect(Workspace::open(target)?, context).await?;
    require_unlocked(&session)?;
    session.draw_lineage()?;
    let subject = Subject::nothing_of(&session.definition, &session).restricted(part, &session.definition)?;
    let planned = make(&session, &subject, Purpose::Apply).await?;
    let approval = Approval {
        operation: Operation::Destroy,
        question: match part.is_default() {
            true => "Do you want to delete everything that this environment has created?",
            false => "Do you want to delete this part of the environment?",
        },
        saved: None,
    };
    carry_out(session, planned, (&approval, running), context).await
}
