//! What happens on AWS's side: findings, resources, members.

use serde_json::{Value, json};

use super::refusal::Refusal;
use super::verbs::{
    Appearing, Archived, OneFinding, OneMember, OneResource, OneSource, Sent, WorkflowSet,
};
use crate::emulators::config::SourceState;
use crate::emulators::journal::Actor;
use crate::emulators::world::{World, seed};

/// Members of a document that BatchImportFindings requires (Security Hub API: AwsSecurityFinding).
const REQUIRED: [&str; 10] = [
    "SchemaVersion",
    "Id",
    "ProductArn",
    "GeneratorId",
    "AwsAccountId",
    "CreatedAt",
    "UpdatedAt",
    "Severity",
    "Title",
    "Resources",
];

impl World {
    pub(super) fn evaluate(&mut self, one: &OneFinding, status: &str) -> Result<(), Refusal> {
        let (product, id) = self.finding(one)?;
        let now = self.now();
        let hub = &mut self.aws.hub;
        hub.set_compliance(&product, &id, status, now, &mut self.journal);
        Ok(())
    }

    pub(super) fn archive(&mut self, archived: &Archived) -> Result<(), Refusal> {
        let (product, id) = self.finding_by(&archived.finding, archived.product_arn.as_deref())?;
        let now = self.now();
        let code = archived.reason.as_deref();
        let reason = code.map(|code| (code, "Archived through the control port."));
        let hub = &mut self.aws.hub;
        hub.archive(&product, &id, reason, now, &mut self.journal);
        Ok(())
    }

    pub(super) fn reactivate(&mut self, one: &OneFinding) -> Result<(), Refusal> {
        let (product, id) = self.finding(one)?;
        let now = self.now();
        let hub = &mut self.aws.hub;
        hub.reactivate(&product, &id, now, &mut self.journal);
        Ok(())
    }

    pub(super) fn withdraw(&mut self, one: &OneFinding) -> Result<(), Refusal> {
        let (product, id) = self.finding(one)?;
        let now = self.now();
        self.aws.hub.remove(&product, &id, now, &mut self.journal);
        Ok(())
    }

    pub(super) fn touch(&mut self, one: &OneFinding) -> Result<(), Refusal> {
        let (product, id) = self.finding(one)?;
        let now = self.now();
        self.aws.hub.touch(&product, &id, now);
        Ok(())
    }

    pub(super) fn break_rule(&mut self, one: &OneFinding) -> Result<(), Refusal> {
        let (product, id) = self.finding(one)?;
        let now = self.now();
        let hub = &mut self.aws.hub;
        hub.break_rule(&product, &id, now, &mut self.journal);
        Ok(())
    }

    pub(super) fn mend_rule(&mut self, one: &OneFinding) -> Result<(), Refusal> {
        let (product, id) = self.finding(one)?;
        let now = self.now();
        let hub = &mut self.aws.hub;
        hub.mend_rule(&product, &id, "FAILED", now, &mut self.journal);
        Ok(())
    }

    pub(super) fn send_to_action(&mut self, sent: &Sent) -> Result<(), Refusal> {
        let key = self.finding_by(&sent.finding, sent.product_arn.as_deref())?;
        let now = self.now();
        let hub = &mut self.aws.hub;
        hub.custom_action(&sent.action, &sent.action, &[key], now);
        Ok(())
    }

    pub(super) fn source(
        &mut self,
        one: &OneSource,
        state: Option<SourceState>,
    ) -> Result<(), Refusal> {
        let id = account(&one.account)?;
        self.aws.config.set_source(id, &one.region, state);
        Ok(())
    }

    pub(super) fn lose_aggregator(&mut self, lost: bool) -> Result<(), Refusal> {
        if lost {
            self.aws.config.lose_aggregator_data();
        } else {
            self.aws.config.restore_aggregator_data();
        }
        Ok(())
    }

    pub(super) fn empty_queue(&mut self) -> Result<(), Refusal> {
        let queue = self.queue_arn();
        self.aws.sqs.empty(&queue);
        Ok(())
    }

    pub(super) fn delete_resource(&mut self, one: &OneResource) -> Result<(), Refusal> {
        let now = self.now();
        let config = &mut self.aws.config;
        if config.item(&one.resource).is_none() {
            let why = format!("AWS Config has recorded no resource {}.", one.resource);
            return Err(Refusal::unknown("resource", why));
        }
        config.delete(&one.resource, now, &mut self.journal);
        Ok(())
    }

    pub(super) fn set_workflow_by_analyst(&mut self, set: &WorkflowSet) -> Result<(), Refusal> {
        let home = &self.aws.home().account;
        let id = format!("arn:aws:sts::{home}:assumed-role/analyst/kim");
        let actor = Actor::Person {
            id: id.clone(),
            role: "analyst".to_owned(),
        };
        self.set_workflow(set, actor, &id)
    }

    pub(super) fn set_workflow_by_rule(&mut self, set: &WorkflowSet) -> Result<(), Refusal> {
        let home = self.aws.home();
        let (account, region) = (&home.account, &home.region);
        let id = format!("arn:aws:securityhub:{region}:{account}:automation-rule/emulated");
        self.set_workflow(set, Actor::AutomationRule, &id)
    }

    fn set_workflow(&mut self, set: &WorkflowSet, actor: Actor, id: &str) -> Result<(), Refusal> {
        let (product, finding) = self.finding_by(&set.finding, set.product_arn.as_deref())?;
        let (now, status, note) = (self.now(), set.status.word(), set.note.as_deref());
        let (hub, journal) = (&mut self.aws.hub, &mut self.journal);
        hub.set_workflow(actor, id, &product, &finding, status, note, now, journal);
        Ok(())
    }

    pub(super) fn member(&mut self, one: &OneMember, joins: bool) -> Result<(), Refusal> {
        let id = account(&one.account)?;
        if joins {
            self.aws.hub.add_member(id);
        } else {
            self.aws.hub.disassociate(id);
        }
        Ok(())
    }

    pub(super) fn appear(&mut self, new: &Appearing) -> Result<(), Refusal> {
        let finding = match &new.asff {
            Some(asff) => whole(asff)?,
            None => self.new_finding(new)?,
        };
        let now = self.now();
        self.aws.hub.import(finding, now, &mut self.journal);
        Ok(())
    }

    /// A document like the seed's, under a number that no finding has yet.
    fn new_finding(&mut self, new: &Appearing) -> Result<Value, Refusal> {
        let wanted = new.control.as_deref().unwrap_or("S3.8");
        let mut known = seed::CONTROLS.iter().map(|(name, ..)| *name);
        let pick = known.clone().position(|name| name == wanted);
        let pick = pick.ok_or_else(|| {
            let why = format!("The emulated Security Hub has no control {wanted}.");
            Refusal::unknown("control", why).allowing(known.by_ref())
        })?;
        let member = match &new.account {
            Some(id) => account(id)?.to_owned(),
            None => seed::account_id(0),
        };
        let name = self.account_name(&member);
        let region = new.region.as_deref().unwrap_or(seed::REGION);
        self.appeared += 1;
        let now = self.now();
        // Above every number of a seed: that is asked for at most a million findings.
        let n = 0x4000_0000 + self.appeared;
        let mut place = seed::Place::new(n, member, name, region, now);
        place.resource.clone_from(&new.resource);
        if let Some(item) = seed::item(&place, pick, now) {
            let config = &mut self.aws.config;
            if config.item(&item.arn).is_none_or(|item| item.deleted) {
                config.discover(item);
            }
        }
        let passed = false;
        let mut finding = seed::Form::Control { pick, passed }.document(&place);
        if let Some(severity) = new.severity {
            finding["Severity"] = json!({ "Label": severity, "Original": severity });
        }
        if let Some(title) = &new.title {
            finding["Title"] = json!(title);
        }
        Ok(finding)
    }

    /// Empty for an account outside the organization.
    fn account_name(&self, id: &str) -> String {
        let mut accounts = self.aws.organizations.accounts();
        let known = accounts.find(|account| account.id == id);
        known.map_or_else(String::new, |account| account.name.clone())
    }

    fn finding(&self, one: &OneFinding) -> Result<(String, String), Refusal> {
        self.finding_by(&one.finding, one.product_arn.as_deref())
    }

    /// Product ARN and id of the only finding that fits.
    fn finding_by(&self, id: &str, product: Option<&str>) -> Result<(String, String), Refusal> {
        let mut products = self.aws.hub.products_with(id);
        products.retain(|arn| product.is_none_or(|wanted| wanted == arn));
        match products.as_slice() {
            [one] => Ok((one.clone(), id.to_owned())),
            [] => Err(Refusal::unknown(
                "finding",
                format!("No finding has the id {id}. GET /state/findings lists them."),
            )),
            _ => {
                let why = format!("Several products have a finding {id}: name one.");
                Err(Refusal::field("product_arn", why).allowing(products))
            }
        }
    }
}

fn account(id: &str) -> Result<&str, Refusal> {
    if id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(id)
    } else {
        let why = format!("{id} is no account id: write 12 digits in quotes.");
        Err(Refusal::field("account", why))
    }
}

fn whole(asff: &Value) -> Result<Value, Refusal> {
    match REQUIRED.into_iter().find(|name| asff[*name].is_null()) {
        None => Ok(asff.clone()),
        Some(name) => {
            let why = format!("An ASFF document must have {name}.");
            Err(Refusal::field(&format!("asff.{name}"), why))
        }
    }
}
