//! `terrane plan`
//!
//! The path of a plan: definition and state, then the clusters are read, what the records do not settle is
//! predicted, and a pure function decides.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use engine_converge::predict::{Basis, Purpose, predict};
use engine_converge::read::{Question, ReadError, read};
use engine_converge::surroundings::read_surroundings;
use engine_converge::{Providers, contents};
use engine_core::address::Address;
use engine_core::cluster::{ClusterRecord, Connection};
use engine_core::diagnostic::{Code, Diagnostic};
use engine_core::digest::Fingerprint;
use engine_core::graph::ResourceGraph;
use engine_core::kind_info::Discovery;
use engine_core::object_ref::{ClusterRef, ObjectRef};
use engine_core::plan::triage::{DesiredPrints, desired_prints, ready_reads, triage};
use engine_core::plan::{Plan, PlanInput, Tier, plan};
use engine_core::prediction::Prediction;
use engine_core::value::Value;
use engine_render::{plan_json, plan_text};
use tracing::Instrument;

use crate::args::{Planning, Target, Verify};
use crate::checks::judge_plan;
use crate::error::{CommandError, Exit, causes};
use crate::lock::peek;
use crate::saved_plan::SavedPlan;
use crate::session::{Context, Session, Workspace};
use crate::subject::Subject;
use crate::terminal::{line, print, stdout_style};

/// A cluster does not answer, or forbids to read what every plan reads.
const UNREADABLE_CLUSTER: Code = Code(620);
/// The connection leads to another cluster than the state records.
const OTHER_CLUSTER: Code = Code(621);

/// What to print and how to end.
pub struct Wish {
    /// Write the plan here as well.
    pub out: Option<PathBuf>,
    /// Print JSON.
    pub json: bool,
    /// Say by the exit code whether there are changes.
    pub detailed_exitcode: bool,
    /// Ask no cluster.
    pub offline: bool,
    /// Plan the destruction of everything.
    pub destroy: bool,
    /// Which part, and how.
    pub planning: Planning,
}

/// Plans and prints.
pub async fn run(target: &Target, wish: Wish, context: Context) -> Result<Exit, CommandError> {
    let workspace = Workspace::open(target)?;
    let subject = |session: &Session| {
        let whole = match wish.destroy {
            true => Subject::nothing_of(&session.definition, session),
            false => Subject::of(&session.definition, session),
        };
        whole.planned(&wish.planning, &session.definition)
    };
    let (session, plan) = if wish.offline {
        let mut session = Session::offline(workspace, context)?;
        peek(&mut session);
        let plan = offline(&session, &subject(&session)?);
        (session, plan)
    } else if wish.destroy {
        // What the definition reads is of no concern here, and may be gone.
        let mut session = Session::connect(workspace, context).await?;
        peek(&mut session);
        let plan = make(&session, &subject(&session)?, Purpose::Show).await?.plan;
        (session, plan)
    } else {
        let mut session = Session::open(workspace, context).await?;
        peek(&mut session);
        settle_reads(&mut session, context).await?;
        let mut planned = make(&session, &subject(&session)?, Purpose::Show).await?;
        judge_plan(&session, &mut planned).await?;
        (session, planned.plan)
    };
    if let Some(path) = &wish.out {
        SavedPlan::write(path, &session, &plan, &wish.planning)?;
    }
    if wish.json {
        line(plan_json(&plan))?;
    } else {
        print(&plan_text(&plan, stdout_style(context.no_color)))?;
    }
    let exit = match (plan.diagnostics.has_errors(), wish.detailed_exitcode && plan.has_changes()) {
        (true, _) => Exit::Incomplete,
        (false, true) => Exit::Changes,
        (false, false) => Exit::Success,
    };
    // The process ends here: to take apart what it holds would be waited for, and is of no use.
    std::mem::forget((session.definition, session.stored, plan));
    Ok(exit)
}

/// A plan, and what an apply needs of the way to it.
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// The graph that was planned.
    pub graph: Arc<ResourceGraph>,
    /// The clusters as they were found.
    pub clusters: BTreeMap<ClusterRef, ClusterRecord>,
    /// Digests of unchanged objects that the server, and not their records, settled.
    pub observed: HashMap<ObjectRef, Fingerprint>,
    /// What the clusters serve.
    pub served: BTreeMap<ClusterRef, Discovery>,
    /// Whether it is about a part of the environment only.
    pub is_part: bool,
    /// Objects with postconditions as they are predicted, without their status: that is what is waited for.
    pub predicted: BTreeMap<Address, Value>,
}

/// Makes a plan.
///
/// # Errors
/// A cluster does not answer, or is another one than recorded.
pub async fn make(session: &Session, subject: &Subject, purpose: Purpose) -> Result<Planned, CommandError> {
    let (graph, state, key) = (subject.graph.as_ref(), &subject.state, session.key.as_ref());
    let providers = session.providers.iter().filter(|(cluster, _)| subject.has_cluster(cluster));
    let providers: Providers = providers.map(|(cluster, it)| (cluster.clone(), it.clone())).collect();
    let desired = desired_prints(graph, key);
    // What has no digest is settled by no record.
    let nothing = DesiredPrints::new();
    let trusted = if subject.verify == Verify::Full { &nothing } else { &desired };
    let live = read(Question { graph, desired: trusted, state, key }, &providers).await;
    let mut live = live.map_err(|error| unreadable(session, error))?;
    subject.hide_others(&mut live);
    let triage = triage(graph, state, &live, trusted);
    let basis = Basis { graph, state, live: &live, purpose };
    let span = tracing::info_span!("predict", asked = triage.ask.len(), settled = triage.settled.len());
    let predictions = predict(basis, &triage, &providers).instrument(span);
    let surroundings = read_surroundings(graph, &triage, &live, &providers);
    let (predictions, surroundings) = tokio::join!(predictions, surroundings);
    live.surroundings = surroundings;
    let mut plan = plan(&PlanInput {
        graph,
        whole: &subject.whole,
        state,
        observed: Some((&live, &triage)),
        predictions: &predictions,
        desired: &desired,
        adopt: session.definition.adopt,
        accepted: &subject.accepted,
        outputs: &subject.outputs,
        rollouts: &subject.rollouts,
        replace: &subject.replace,
        left_out: &subject.left_out,
    });
    let unchanged = plan.changes.iter().filter(|it| it.is_unchanged() && it.tier == Tier::Server);
    let observed =
        unchanged.filter_map(|it| Some((it.object_ref.clone(), live.get(&it.object_ref)?.settled?)));
    let mut observed: HashMap<_, _> = observed.collect();
    let mut applied = subject.graph.clone();
    if subject.refresh_only {
        plan = plan.refresh_only(state);
        // What is declared is neither applied nor recorded.
        applied = Arc::new(subject.graph.emptied());
        observed.clear();
    }
    plan.diagnostics.extend(subject.remarks.clone());
    plan.diagnostics.extend(session.unverified());
    contents::foresee(&mut plan, &providers).await;
    let requests: u64 = session.providers.values().map(|provider| provider.requests()).sum();
    tracing::info!(requests, changes = plan.effective().count(), "planned");
    let clusters = live.clusters.iter().filter_map(|(cluster, live)| {
        let connection = session.connection(cluster)?;
        Some((cluster.clone(), ClusterRecord { connection, uid: live.uid.clone() }))
    });
    let clusters = clusters.collect();
    let served = live.clusters.into_iter().map(|(cluster, live)| (cluster, live.discovery)).collect();
    let predicted = predicted(graph, &predictions);
    Ok(Planned { clusters, observed, served, plan, predicted, graph: applied, is_part: subject.is_part() })
}

fn predicted(
    graph: &ResourceGraph,
    predictions: &HashMap<ObjectRef, Prediction>,
) -> BTreeMap<Address, Value> {
    let guarded = graph.resources().iter().filter(|resource| resource.lifecycle.postcondition);
    let objects = guarded.filter_map(|resource| {
        let object = predictions.get(resource.object_ref())?.result.as_ref().ok()?;
        let mut body = object.body().clone();
        body.remove_at(&["status"]);
        Some((resource.address.clone(), body))
    });
    objects.collect()
}

/// Reads what a plan need not leave to the apply, because all that stands before it is settled: otherwise a
/// plan after an apply would never come to rest.
///
/// # Errors
/// As [`make`], or an object to read does not exist.
pub async fn settle_reads(session: &mut Session, context: Context) -> Result<(), CommandError> {
    let graph = session.definition.graph.clone();
    if graph.resources().iter().all(|resource| resource.manifest().is_some()) {
        return Ok(());
    }
    let (state, key) = (&session.state(), session.key.as_ref());
    let desired = desired_prints(&graph, key);
    let live = read(Question { graph: &graph, desired: &desired, state, key }, &session.providers).await;
    let live = live.map_err(|error| unreadable(session, error))?;
    let ready = ready_reads(&graph, &triage(&graph, state, &live, &desired));
    session.answer(ready.into_iter(), context).await
}

/// Says which cluster could not be read, at the place that declares it.
fn unreadable(session: &Session, error: ReadError) -> CommandError {
    let (code, cluster, summary, hint) = match &error {
        ReadError::Cluster { cluster, .. } => {
            let hint = match session.connection(cluster) {
                Some(Connection::Context { context, .. }) => {
                    format!("check context {context} with `kubectl --context {context} get ns`")
                }
                _ => "look at the sandbox with `terrane sandbox serve`".into(),
            };
            (UNREADABLE_CLUSTER, cluster, format!("cluster \"{cluster}\" cannot be read"), hint)
        }
        ReadError::OtherCluster { cluster, .. } => {
            let hint = "point the context at the right cluster, or give the environment another name".into();
            (
                OTHER_CLUSTER,
                cluster,
                format!("cluster \"{cluster}\" is not the one that the state records"),
                hint,
            )
        }
        ReadError::Missing { .. } => {
            return CommandError::while_("read the clusters")(error)
                .hint("create the object, or remove the `read` block");
        }
    };
    let span = session.definition.clusters.get(cluster).and_then(|declared| declared.span.clone());
    let diagnostic = Diagnostic::error(code, summary).at(span).hint(hint);
    CommandError::Definition(diagnostic.detail(causes(&error).join(": ")).into())
}

fn offline(session: &Session, subject: &Subject) -> Plan {
    let graph = subject.graph.as_ref();
    let mut plan = plan(&PlanInput {
        graph,
        whole: &subject.whole,
        state: &subject.state,
        observed: None,
        predictions: &HashMap::new(),
        desired: &desired_prints(graph, session.key.as_ref()),
        adopt: session.definition.adopt,
        accepted: &subject.accepted,
        outputs: &subject.outputs,
        rollouts: &subject.rollouts,
        replace: &subject.replace,
        left_out: &subject.left_out,
    });
    plan.diagnostics.extend(subject.remarks.clone());
    plan
}
