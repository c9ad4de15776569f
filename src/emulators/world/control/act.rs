//! Makes verbs happen: each through the state machine that it concerns, so that the journal, the histories and the
//! events are what they would be. Knows no HTTP.

use jiff::SignedDuration;

use super::refusal::Refusal;
use super::verbs::Verb;
use crate::emulators::config::SourceState;
use crate::emulators::world::World;
use crate::emulators::world::story::Day;

impl World {
    /// Makes one thing happen now.
    ///
    /// # Errors
    /// [`Refusal`], when a thing named is not there, or the emulated system says no; nothing has changed then.
    pub fn happen(&mut self, verb: &Verb) -> Result<(), Refusal> {
        self.carry_out(verb)?;
        self.settle();
        Ok(())
    }

    fn carry_out(&mut self, verb: &Verb) -> Result<(), Refusal> {
        match verb {
            Verb::FindingAppears(new) => self.appear(new),
            Verb::FindingPasses(one) => self.evaluate(one, "PASSED"),
            Verb::FindingFails(one) => self.evaluate(one, "FAILED"),
            Verb::FindingWarns(one) => self.evaluate(one, "WARNING"),
            Verb::FindingBecomesUnavailable(one) => self.evaluate(one, "NOT_AVAILABLE"),
            Verb::FindingIsArchived(archived) => self.archive(archived),
            Verb::FindingIsReactivated(one) => self.reactivate(one),
            Verb::FindingIsRemoved(one) => self.withdraw(one),
            Verb::FindingIsTouched(one) => self.touch(one),
            Verb::RuleBreaks(one) => self.break_rule(one),
            Verb::RuleMends(one) => self.mend_rule(one),
            Verb::AnalystSendsToAction(sent) => self.send_to_action(sent),
            Verb::ResourceIsDeleted(one) => self.delete_resource(one),
            Verb::AnalystSetsWorkflow(set) => self.set_workflow_by_analyst(set),
            Verb::RuleSetsWorkflow(set) => self.set_workflow_by_rule(set),
            Verb::MemberJoins(one) => self.member(one, true),
            Verb::MemberLeaves(one) => self.member(one, false),
            Verb::SourceFails(one) => self.source(one, Some(SourceState::Failed)),
            Verb::SourceRecovers(one) => self.source(one, None),
            Verb::AggregatorLosesData(_) => self.lose_aggregator(true),
            Verb::AggregatorRecovers(_) => self.lose_aggregator(false),
            Verb::PersonResolves(one) => self.transition(&one.ticket, &one.who, "Resolved"),
            Verb::PersonCloses(one) => self.transition(&one.ticket, &one.who, "Closed"),
            Verb::PersonReopens(one) => self.transition(&one.ticket, &one.who, "Open"),
            Verb::PersonMoves(one) => self.transition(&one.ticket, &one.who, &one.to),
            Verb::PersonForcesStatus(moved) => self.force_status(moved),
            Verb::PersonComments(said) => self.comment(said),
            Verb::PersonEdits(edited) => self.edit(edited),
            Verb::PersonRelabels(labels) => self.relabel(labels),
            Verb::PersonMovesProject(moved) => self.move_project(moved),
            Verb::PersonDeletes(one) => self.delete_ticket(one),
            Verb::ProjectIsHidden(one) => self.hide_project(one, true),
            Verb::ProjectIsShown(one) => self.hide_project(one, false),
            Verb::ProjectIsArchived(one) => self.archive_project(one, true),
            Verb::ProjectIsRestored(one) => self.archive_project(one, false),
            Verb::UserIsDeactivated(one) => self.activate(one, false),
            Verb::UserIsActivated(one) => self.activate(one, true),
            Verb::TokenIsReplaced(one) => self.replace_token(one),
            Verb::PermissionIsRevoked(one) => self.revoke(one, true),
            Verb::PermissionIsRestored(one) => self.revoke(one, false),
            Verb::QueueIsEmptied(_) => self.empty_queue(),
            Verb::FirstDay(_) => self.live_through(World::first_day),
            Verb::SecondDay(_) => self.live_through(World::second_day),
        }
    }

    fn live_through(&mut self, day: fn(&mut World) -> Day) -> Result<(), Refusal> {
        // What happened in it stands in the journal.
        day(self);
        Ok(())
    }

    /// Time passes: controls whose check is due check again what still exists, what is no longer checked is archived,
    /// old records expire, tasks finish, events arrive.
    pub fn advance(&mut self, by: SignedDuration) {
        self.clock.advance(by);
        let now = self.now();
        let config = &self.aws.config;
        let gone = |arn: &str| config.item(arn).is_some_and(|item| item.deleted);
        self.aws.hub.check_again(&gone, now);
        self.aws.hub.archive_unchecked(now, &mut self.journal);
        self.aws.hub.expire(now, &mut self.journal);
        self.settle();
    }

    /// What was announced reaches the queues, and tasks that are due finish.
    fn settle(&mut self) {
        let now = self.now();
        self.aws.settle(now, &mut self.journal);
        self.jira.settle(now, &mut self.journal);
    }
}
