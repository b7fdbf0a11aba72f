//! `terrane destroy`: the plan of an empty environment.

use engine_converge::predict::Purpose;
use engine_render::Operation;

use crate::args::{Part, Running, Target};
use crate::commands::apply::{Approval, carry_out};
use crate::commands::plan::make;
use crate::error::{CommandError, Exit};
use crate::lock::take_turn;
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
    let mut session = Session::offline(Workspace::open(target)?, context)?;
    let turn = take_turn(&mut session, running.lock_timeout).await?;
    session.reach().await?;
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
    carry_out(session, (turn, planned), (&approval, running), context).await
}
