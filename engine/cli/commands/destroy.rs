//! `terrane destroy`: the plan of an empty environment.

use engine_converge::predict::Purpose;
use engine_render::Operation;

use crate::args::{Running, Target};
use crate::commands::apply::{Approval, carry_out};
use crate::commands::plan::{Subject, make};
use crate::error::{CommandError, Exit};
use crate::session::{Context, Session, Workspace};

/// Plans the deletion of everything, asks and carries it out.
pub async fn run(target: &Target, running: &Running, context: Context) -> Result<Exit, CommandError> {
    let mut session = Session::open(Workspace::open(target)?, context).await?;
    let base = session.create_state()?;
    let planned = make(&session, &Subject::default(), Purpose::Apply).await?;
    let approval = Approval {
        operation: Operation::Destroy,
        question: "Do you want to delete everything that this environment has created?",
        expected: None,
    };
    carry_out(&session, base, planned, (&approval, running), context).await
}
