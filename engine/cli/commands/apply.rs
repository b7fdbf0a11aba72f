//! `terrane apply`

use std::sync::Arc;

use engine_config::Moment;
use engine_converge::apply::{ApplyError, Finished, Run, apply};
use engine_converge::predict::Purpose;
use engine_core::diagnostic::Diagnostics;
use engine_core::digest::Digest;
use engine_core::lock::Renewal;
use engine_core::plan::Plan;
use engine_core::plan::outcome::Report;
use engine_core::ports::{RunLog, Stored};
use engine_core::state::Holder;
use engine_render::{Operation, RunEvent, outputs_text, plan_text, report_text};
use tokio::sync::watch;

use crate::args::{Planning, Running, Target};
use crate::checks::{Checks, judge, judge_plan};
use crate::commands::plan::{Planned, make, settle_reads};
use crate::error::{CommandError, Exit};
use crate::lock::{Turn, take_turn};
use crate::progress::{Console, Events};
use crate::saved_plan::SavedPlan;
use crate::session::{Context, Session, Workspace, failure_text, warn};
use crate::subject::Subject;
use crate::terminal::{confirm, print, say, stderr_style, stdout_style};

/// Plans, asks and carries out. A file in place of the directory is a saved plan: it must still hold.
pub async fn run(
    target: &Target,
    planning: &Planning,
    running: &Running,
    context: Context,
) -> Result<Exit, CommandError> {
    let (workspace, saved) = open(target)?;
    let planning = match &saved {
        Some(_) if !planning.is_default() => {
            return Err(CommandError::new("a saved plan says itself what it is about")
                .hint("leave --target, --cluster, --replace and --verify to `terrane plan --out`"));
        }
        Some(saved) => &saved.planning,
        None => planning,
    };
    let mut session = Session::offline(workspace, context)?;
    let turn = take_turn(&mut session, running.lock_timeout).await?;
    session.reach().await?;
    session.answer_all(context).await?;
    session.draw_lineage()?;
    settle_reads(&mut session, context).await?;
    if let Some(saved) = &saved {
        saved.require_inputs(&session)?;
    }
    let subject = Subject::of(&session.definition, &session).planned(planning, &session.definition)?;
    let mut planned = make(&session, &subject, Purpose::Apply).await?;
    judge_plan(&session, &mut planned).await?;
    let approval = Approval {
        operation: Operation::Apply,
        question: "Do you want to make these changes?",
        saved: saved.and_then(|saved| saved.digest()),
    };
    carry_out(session, (turn, planned), (&approval, running), context).await
}

/// Opens the definition that the argument names: by its directory, or by a saved plan.
fn open(target: &Target) -> Result<(Workspace, Option<SavedPlan>), CommandError> {
    if !target.directory.is_file() {
        return Ok((Workspace::open(target)?, None));
    }
    let saved = SavedPlan::read(&target.directory)?;
    let workspace = Workspace::open(&Target { directory: saved.directory.clone(), ..target.clone() })?;
    let workspace = match saved.clock() {
        Some(clock) => workspace.at(clock),
        None => workspace,
    };
    Ok((workspace, Some(saved)))
}

/// How a run is approved.
pub struct Approval {
    /// What is run.
    pub operation: Operation,
    /// What to ask.
    pub question: &'static str,
    /// The decision digest of the saved plan that is carried out.
    pub saved: Option<Digest>,
}

/// Shows a plan, has it approved and carries it out. Nothing is written before it is approved.
///
/// # Errors
/// The plan has errors, nobody approves, or the state cannot be written.
pub async fn carry_out(
    mut session: Session,
    (turn, planned): (Turn, Planned),
    (approval, running): (&Approval, &Running),
    context: Context,
) -> Result<Exit, CommandError> {
    let plan = &planned.plan;
    match running.json {
        true => Events::print(RunEvent::Planned(plan))?,
        false => print(&plan_text(plan, stdout_style(context.no_color)))?,
    }
    if plan.diagnostics.has_errors() {
        return Ok(Exit::Incomplete);
    }
    if !approved(plan, approval, running)? {
        return Ok(Exit::Incomplete);
    }
    let unfinished = session.stored.as_ref().is_some_and(|stored| !stored.state.intents.is_empty());
    let unfinished = unfinished || turn.displaces();
    if !plan.has_changes() && planned.observed.is_empty() && !unfinished {
        // Nothing to do, nothing learnt and nothing to clear up: the state stays as it is.
        if running.json {
            Events::print(RunEvent::Finished(plan, &Report::default(), &Diagnostics::default()))?;
        }
        return Ok(Exit::Success);
    }
    // The first apply creates the state with the lineage that it was planned with.
    let base = session.create_state()?;
    let holder = holder(approval.operation, session.definition.lock_renewal)?;
    let log = Arc::new(turn.begin(&base.state.lineage, &holder.run)?);
    let run = run_of(&session, (planned, base), (holder, log), running);
    let (plan, interrupted) = (run.plan.clone(), run.interrupted.clone());
    match apply(run).await {
        Ok(finished) => {
            let found = assertions(&session, &finished, approval.operation).await?;
            show(&plan, (&finished, &found), approval.operation, running, context)?;
            Ok(match (finished.report.is_success() && !found.has_errors(), *interrupted.borrow()) {
                (true, _) => Exit::Success,
                (false, true) => Exit::Interrupted,
                (false, false) => Exit::Incomplete,
            })
        }
        Err(error) => failed(error, approval.operation, context),
    }
}

fn run_of(
    session: &Session,
    (planned, base): (Planned, Stored),
    (holder, log): (Holder, Arc<dyn RunLog>),
    running: &Running,
) -> Run {
    let plan = Arc::new(planned.plan);
    Run {
        graph: planned.graph,
        base,
        store: session.store.clone(),
        log,
        providers: session.providers.clone(),
        clusters: planned.clusters,
        resolver: session.definition.filler.clone(),
        reads: session.reads.clone(),
        observed: planned.observed,
        served: planned.served,
        key: session.key.clone(),
        judge: Arc::new(Checks::of(session)),
        holder,
        parallelism: running.parallelism.into(),
        progress: match running.json {
            true => Arc::new(Events),
            false => Arc::new(Console::new(&plan)),
        },
        interrupted: interrupts(),
        is_part: planned.is_part,
        plan,
    }
}

fn approved(plan: &Plan, approval: &Approval, running: &Running) -> Result<bool, CommandError> {
    let digest = plan.decision_digest();
    let approved: Vec<Digest> = approval.saved.into_iter().chain(running.expect).collect();
    if let Some(other) = approved.iter().find(|approved| **approved != digest) {
        let (what, they) = match approval.saved == Some(*other) {
            true => ("the saved plan no longer holds", "it decided"),
            false => ("this is not the plan that was expected", "expected was"),
        };
        let summary = format!("{what}: {they} {}, planning now decides {}", other.short(), digest.short());
        return Err(CommandError::new(summary)
            .hint("the definition, the state or a cluster has changed since; look at the new plan above"));
    }
    if !approved.is_empty() || running.auto_approve || !plan.has_changes() {
        return Ok(true);
    }
    confirm(approval.question)
}

/// Returns what checks, and preconditions of outputs, say when all has been done.
async fn assertions(
    session: &Session,
    finished: &Finished,
    operation: Operation,
) -> Result<Diagnostics, CommandError> {
    if operation == Operation::Destroy || !finished.report.is_success() {
        return Ok(Diagnostics::default());
    }
    let checks = judge(session, &finished.reads, Moment::Applied).await?;
    let mut found = checks.warnings();
    found.extend(checks.faults);
    Ok(found.sorted())
}

fn show(
    plan: &Plan,
    (finished, found): (&Finished, &Diagnostics),
    operation: Operation,
    running: &Running,
    context: Context,
) -> Result<(), CommandError> {
    let report = &finished.report;
    if running.json {
        return Events::print(RunEvent::Finished(plan, report, found));
    }
    warn(found, context);
    print(&report_text(report, operation, stdout_style(context.no_color)))?;
    print(&outputs_text(&finished.stored.state.outputs))
}

/// Says why a run could not begin, or what became of one that could not record its end.
fn failed(error: ApplyError, operation: Operation, context: Context) -> Result<Exit, CommandError> {
    let (report, what, hint) = match &error {
        ApplyError::Locked(_) | ApplyError::Begin(_) => {
            return Err(CommandError::while_("take the lock")(error));
        }
        ApplyError::Displaced { report, .. } => (
            report,
            "go on: another run has taken the lock",
            "what was done is on the clusters, with the environment's marks; plan again when that run has ended",
        ),
        ApplyError::Unrecorded { report, .. } => (
            report,
            "record the state",
            "what was done is noted in `.terrane/`; apply again here, and it is recorded before anything else",
        ),
    };
    say(&report_text(report, operation, stderr_style(context.no_color)));
    say(&failure_text(&CommandError::while_(what)(error).hint(hint), context));
    Ok(Exit::Unrecorded)
}

fn holder(operation: Operation, renewal: Renewal) -> Result<Holder, CommandError> {
    let name = |variable| std::env::var(variable).ok().filter(|name| !name.is_empty());
    let user = name("USER").or_else(|| name("LOGNAME")).unwrap_or_else(|| "unknown".into());
    let host = name("HOSTNAME").or_else(|| std::fs::read_to_string("/etc/hostname").ok());
    let host = host.map_or_else(|| "unknown".into(), |host| host.trim().to_owned());
    Ok(Holder {
        run: engine_state::new_run().map_err(CommandError::while_("draw a name for this run"))?,
        who: format!("{user}@{host}").into(),
        operation: match operation {
            Operation::Apply => "apply".into(),
            Operation::Destroy => "destroy".into(),
        },
        since: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into(),
        renewal,
    })
}

/// Turns true at the first Ctrl-C or SIGTERM. A second one ends the process at once, as users expect.
fn interrupts() -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        for count in 0.. {
            if crate::terminal::interrupted().await.is_err() {
                return;
            }
            if count > 0 {
                std::process::exit(130);
            }
            say(
                "interrupted: finishing what is in flight; once more ends at once and may leave work unrecorded\n",
            );
            sender.send_replace(true);
        }
    });
    receiver
}
