//! What a root module says about the environment as a whole: name, state, adoption and clusters.

mod rollout;

use std::collections::{BTreeMap, BTreeSet};

use engine_core::address::InstanceKey;
use engine_core::cluster::{Cluster, Clusters, Connection};
use engine_core::diagnostic::{Code, Diagnostic, Diagnostics, SourceSpan};
use engine_core::lock::Renewal;
use engine_core::mark::EnvironmentName;
use engine_core::object_ref::ClusterRef;
use engine_core::plan::AdoptPolicy;
use engine_core::rollout::Rollout;
use engine_core::value::Text;
use engine_core::wait_rule::WaitRule;

use crate::codes::{
    CLUSTER_CHOICE, ENVIRONMENT_NAME, INSTANCES, INVALID_ARGUMENT, NO_CLUSTER, SENSITIVE, STATE_CHOICE,
    UNKNOWN_INSTANCE,
};
use crate::eval::did_you_mean;
use crate::expand::{ClusterOrder, Facts, Frame, Repeated, Uses, evaluate_in};
use crate::expr_value::ExprValue;
use crate::module::{ClusterDeclaration, Expr, StateDeclaration, Target, typed};
use crate::types::Type;

/// Where the state is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateChoice {
    /// Not written down: local refs, which is only allowed if every cluster is a sandbox.
    Unset,
    /// In the repository, where it is not pushed.
    Local {
        /// The branch that environments share; without one each has a ref of its own.
        branch: Option<Text>,
    },
    /// At a remote of the repository.
    Git {
        /// The name of the Git remote.
        remote: Text,
        /// The branch that environments share; without one each has a ref of its own.
        branch: Option<Text>,
    },
}

/// What stands for a text that depends on a variable without a value.
const UNKNOWN: &str = "unknown";

/// What the definition says about the environment as a whole.
pub(crate) struct Whole {
    pub(crate) name: EnvironmentName,
    pub(crate) state: StateChoice,
    pub(crate) adopt: AdoptPolicy,
    pub(crate) accepted: BTreeSet<Code>,
    pub(crate) lock_renewal: Renewal,
    pub(crate) wait_rules: Vec<WaitRule>,
    pub(crate) clusters: Clusters,
    pub(crate) order: ClusterOrder,
    /// `cluster.NAME` of the root module.
    pub(crate) by_name: BTreeMap<Text, ExprValue>,
    /// `cluster` of a module, by the text form of the reference.
    pub(crate) by_ref: BTreeMap<Text, ExprValue>,
}

/// Evaluates the `terrane` and `cluster` blocks. `contexts` replaces the contexts of clusters, by the name of the
/// cluster in capitals, other characters than letters and digits as `_`.
pub(crate) fn evaluate(
    frame: &Frame<'_>,
    facts: &Facts,
    contexts: &BTreeMap<String, String>,
) -> Result<Whole, Diagnostics> {
    let mut reader = Reader { frame, facts, contexts, faults: Diagnostics::default() };
    let (name, state, adopt) = reader.settings();
    let settings = frame.module.root.settings.as_ref();
    let accepted = settings.map(|settings| settings.accept.clone()).unwrap_or_default();
    let wait_rules = settings.map(|settings| settings.wait_rules.clone()).unwrap_or_default();
    let lock_renewal = settings.map(|settings| settings.lock_renewal).unwrap_or_default();
    let Evaluated { clusters, instances, by_name, by_ref } = reader.clusters();
    if !reader.faults.has_errors() {
        reader.check_state(&state, &clusters);
    }
    let order = reader.order(&instances);
    match (name, reader.faults) {
        (Some(name), faults) if faults.is_empty() => Ok(Whole {
            name,
            state,
            adopt,
            accepted,
            lock_renewal,
            wait_rules,
            clusters,
            order,
            by_name,
            by_ref,
        }),
        (_, faults) => Err(faults),
    }
}

/// The instances of each `cluster` block, with their keys.
type Instances = BTreeMap<Text, Vec<(Option<Text>, ClusterRef)>>;

/// What the `cluster` blocks give.
#[derive(Default)]
struct Evaluated {
    clusters: Clusters,
    instances: Instances,
    by_name: BTreeMap<Text, ExprValue>,
    by_ref: BTreeMap<Text, ExprValue>,
}

struct Reader<'a> {
    frame: &'a Frame<'a>,
    facts: &'a Facts,
    contexts: &'a BTreeMap<String, String>,
    faults: Diagnostics,
}

impl Reader<'_> {
    fn settings(&mut self) -> (Option<EnvironmentName>, StateChoice, AdoptPolicy) {
        let frame = self.frame;
        let Some(settings) = &frame.module.root.settings else {
            self.faults.push(
                Diagnostic::error(ENVIRONMENT_NAME, "the environment has no name")
                    .hint("add:\nterrane {\n  environment = \"NAME\"\n}"),
            );
            return (None, StateChoice::Unset, AdoptPolicy::Never);
        };
        let name = match &settings.environment {
            None => {
                self.faults.push(
                    Diagnostic::error(ENVIRONMENT_NAME, "the environment has no name")
                        .at(settings.span.clone())
                        .hint("add `environment = \"NAME\"`"),
                );
                None
            }
            Some(expr) => self.environment_name(expr),
        };
        let state = match &settings.state {
            None => StateChoice::Unset,
            Some(StateDeclaration::Local { branch }) => StateChoice::Local { branch: self.branch(branch) },
            Some(StateDeclaration::Git { remote, branch }) => StateChoice::Git {
                remote: match remote {
                    Some(expr) => self.text(expr, "remote", &Repeated::Once).unwrap_or_default(),
                    None => "origin".into(),
                },
                branch: self.branch(branch),
            },
        };
        let adopt = settings.adopt.as_ref();
        let adopt = adopt.map_or(AdoptPolicy::Never, |expr| self.adopt(expr));
        (name, state, adopt)
    }

    fn branch(&mut self, branch: &Option<Expr>) -> Option<Text> {
        branch.as_ref().and_then(|expr| self.text(expr, "branch", &Repeated::Once))
    }

    fn environment_name(&mut self, expr: &Expr) -> Option<EnvironmentName> {
        let text = self.text(expr, "environment", &Repeated::Once)?;
        text.parse()
            .map_err(|error: engine_core::mark::EnvironmentNameError| {
                self.faults.push(
                    Diagnostic::error(ENVIRONMENT_NAME, format!("{text:?} is not an environment name"))
                        .detail(format!("{error}."))
                        .at(expr.span())
                        .hint("use small letters, digits and dashes, such as \"task-manager\""),
                );
            })
            .ok()
    }

    fn adopt(&mut self, expr: &Expr) -> AdoptPolicy {
        match self.text(expr, "adopt", &Repeated::Once).as_deref() {
            Some("if_unowned") => AdoptPolicy::IfUnowned,
            Some("never") | None => AdoptPolicy::Never,
            Some(other) => {
                self.faults.push(
                    Diagnostic::error(INVALID_ARGUMENT, format!("there is no adopt policy {other:?}"))
                        .at(expr.span())
                        .hint("write \"never\" or \"if_unowned\""),
                );
                AdoptPolicy::Never
            }
        }
    }

    fn clusters(&mut self) -> Evaluated {
        let frame = self.frame;
        let mut found = Evaluated::default();
        if frame.module.root.clusters.is_empty() {
            self.faults.push(
                Diagnostic::error(NO_CLUSTER, "the environment has no cluster")
                    .detail("The current context of a kubeconfig is never used.")
                    .at(frame.module.root.settings.as_ref().map(|settings| settings.span.clone()))
                    .hint("add:\ncluster \"main\" {\n  sandbox = true\n}\nor `context = \"NAME\"` of a kubeconfig"),
            );
        }
        for (name, declaration) in &frame.module.root.clusters {
            let mut values = Vec::new();
            let instances = found.instances.entry(name.clone()).or_default();
            for (key, repeated) in self.instances(declaration) {
                let full = match &key {
                    None => name.clone(),
                    Some(key) => format!("{name}{}", InstanceKey::String(key.clone())).into(),
                };
                let cluster = self.cluster(&full, declaration, &repeated);
                let value = ExprValue::object([
                    ("name".into(), ExprValue::string(&full)),
                    ("platform".into(), ExprValue::string(&cluster.platform)),
                ]);
                instances.push((key.clone(), cluster.cluster.clone()));
                found.clusters.insert(cluster.cluster.clone(), cluster);
                found.by_ref.insert(full, value.clone());
                values.push((key, value));
            }
            let value = match &values[..] {
                [(None, value)] => value.clone(),
                _ => ExprValue::object(values.into_iter().filter_map(|(key, value)| Some((key?, value)))),
            };
            found.by_name.insert(name.clone(), value);
        }
        found
    }

    fn instances(&mut self, declaration: &ClusterDeclaration) -> Vec<(Option<Text>, Repeated)> {
        let Some(expr) = &declaration.for_each else {
            return vec![(None, Repeated::Once)];
        };
        let Some(value) = self.value(expr, &Repeated::Once) else {
            return Vec::new();
        };
        let each = |key: &Text, value: &ExprValue| {
            let each = Repeated::Each { key: ExprValue::text(key.clone()), value: value.clone() };
            (Some(key.clone()), each)
        };
        if let Some(entries) = value.as_entries() {
            return entries.iter().map(|(key, value)| each(key, value)).collect();
        }
        let items = value.as_items().map(|items| items.iter().map(|item| Some((item.as_text()?, item))));
        let items: Option<Vec<_>> = items.and_then(Iterator::collect);
        match items.filter(|_| matches!(value.ty(), Type::Set(_))) {
            Some(items) => items.into_iter().map(|(key, item)| each(key, item)).collect(),
            None => {
                self.faults.push(
                    Diagnostic::error(INSTANCES, "for_each must be a map or a set of strings")
                        .detail(format!("The given value is {value}."))
                        .at(expr.span()),
                );
                Vec::new()
            }
        }
    }

    fn cluster(&mut self, name: &Text, declaration: &ClusterDeclaration, repeated: &Repeated) -> Cluster {
        let mut text = |expr: &Option<Expr>, field: &str| {
            let expr = expr.as_ref()?;
            self.text(expr, field, repeated)
        };
        let context = text(&declaration.context, "context");
        let kubeconfig = text(&declaration.kubeconfig, "kubeconfig");
        let platform = text(&declaration.platform, "platform");
        let instead = self.contexts.get(&variable_part(name)).map(Text::from);
        let sandbox = declaration.sandbox.as_ref().and_then(|expr| {
            let value = self.value(expr, repeated)?;
            let value = typed(&value, &Type::Bool, "sandbox", expr);
            value.map_err(|faults| self.faults.extend(faults)).ok()?.as_bool()
        });
        let connection = match (sandbox.unwrap_or(false), context, instead) {
            (true, None, None) => Connection::Sandbox,
            (true, None, Some(context)) | (false, _, Some(context)) | (false, Some(context), None) => {
                Connection::Context { context, kubeconfig }
            }
            (both, _, _) => {
                let summary = match both {
                    true => format!("cluster {name} is a sandbox and has a context"),
                    false => format!("cluster {name} is not connected to anything"),
                };
                self.faults.push(
                    Diagnostic::error(CLUSTER_CHOICE, summary)
                        .at(declaration.span.clone())
                        .hint("write either `sandbox = true` or `context = \"NAME\"` of a kubeconfig"),
                );
                Connection::Sandbox
            }
        };
        let default = if connection == Connection::Sandbox { "sandbox" } else { "kubernetes" };
        Cluster {
            cluster: ClusterRef::new(name.clone()),
            connection,
            platform: platform.unwrap_or_else(|| default.into()),
            span: Some(declaration.span.clone()),
        }
    }

    /// Returns which cluster waits for which: what `depends_on` says, and each wave of a rollout for the one before.
    fn order(&mut self, instances: &Instances) -> ClusterOrder {
        let root = &self.frame.module.root;
        let mut order = ClusterOrder::default();
        for (name, declaration) in &root.clusters {
            for target in &declaration.depends_on {
                for dependency in self.named(target, instances) {
                    let dependents = instances.get(name).into_iter().flatten();
                    order.waits.extend(
                        dependents.map(|(_, one)| (one.clone(), dependency.clone(), target.span.clone())),
                    );
                }
            }
        }
        for (name, rollout) in &root.rollouts {
            let waves = self.waves(rollout, instances, &mut order);
            order.rollouts.push(Rollout { name: name.clone(), waves });
        }
        order
    }

    /// Returns the clusters that a reference names: all instances of a block, or one.
    fn named(&mut self, target: &Target, instances: &Instances) -> Vec<ClusterRef> {
        let of_block = instances.get(&target.name).map_or(&[][..], Vec::as_slice);
        let Some(key) = &target.key else {
            return of_block.iter().map(|(_, cluster)| cluster.clone()).collect();
        };
        let wanted = key.as_text();
        match of_block.iter().find(|(key, _)| key.is_some() && key.as_ref() == wanted) {
            Some((_, cluster)) => vec![cluster.clone()],
            None => {
                let known: Vec<&str> = of_block.iter().filter_map(|(key, _)| key.as_deref()).collect();
                let near = wanted.and_then(|wanted| did_you_mean(wanted, known.iter().copied()));
                let hint = near.unwrap_or_else(|| match known.len() {
                    0 => "name the block as a whole".to_owned(),
                    _ => format!("there are {}", known.join(", ")),
                });
                let summary = format!("cluster.{} has no instance {key}", target.name);
                let fault = Diagnostic::error(UNKNOWN_INSTANCE, summary);
                self.faults.push(fault.at(target.span.clone()).hint(hint));
                Vec::new()
            }
        }
    }

    fn check_state(&mut self, state: &StateChoice, clusters: &Clusters) {
        let real = clusters.values().find(|cluster| cluster.connection != Connection::Sandbox);
        let (StateChoice::Unset, Some(real)) = (state, real) else {
            return;
        };
        let span = self.frame.module.root.settings.as_ref().map(|settings| settings.span.clone());
        self.faults.push(
            Diagnostic::error(STATE_CHOICE, "the definition does not say where the state is kept")
                .detail(format!(
                    "Without a choice the state stays in this clone of the repository, which is only fit for a \
                     sandbox; cluster {} is not one.",
                    real.cluster
                ))
                .at(span)
                .hint(
                    "add to the terrane block:\n  state \"git\" {\n    remote = \"origin\"\n  }\nor, to keep it in \
                     this clone only:\n  state \"local\" {}",
                ),
        );
    }

    fn value(&mut self, expr: &Expr, repeated: &Repeated) -> Option<ExprValue> {
        evaluate_in(self.facts, self.frame, expr, repeated, &mut Uses::default())
            .map_err(|faults| self.faults.extend(faults))
            .ok()
    }

    fn text(&mut self, expr: &Expr, field: &str, repeated: &Repeated) -> Option<Text> {
        let value = self.value(expr, repeated)?;
        if value.is_sensitive() {
            self.sensitive(field, expr.span());
            return None;
        }
        // Of a variable without a value, which has been reported: what follows from it is checked all the same.
        if value.is_unknown() {
            return Some(UNKNOWN.into());
        }
        let value = typed(&value, &Type::String, field, expr);
        value.map_err(|faults| self.faults.extend(faults)).ok()?.as_text().cloned()
    }

    fn sensitive(&mut self, field: &str, span: SourceSpan) {
        self.faults.push(
            Diagnostic::error(SENSITIVE, format!("{field} depends on a sensitive value"))
                .detail("It is shown in plans and kept in the state.")
                .at(span),
        );
    }
}

/// Returns a cluster's name as it stands in `TERRANE_CLUSTER_<NAME>_CONTEXT`: `prod["eu"]` is `PROD_EU`.
fn variable_part(name: &str) -> String {
    let text: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { ' ' }).collect();
    text.split_whitespace().collect::<Vec<_>>().join("_")
}
