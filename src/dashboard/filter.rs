//! The filter of a page: it stands in the address, and who is limited to some teams sees no other.

use serde_json::{Value, json};

use super::answer::{Failure, Visit};
use crate::figures::Filter;
use crate::model::owner::Organisation;
use crate::model::{Link, Severity};

/// What an address asks for, as far as whoever asks may see it.
pub(super) struct Narrowed {
    asked: Filter,
    filter: Filter,
    limited: Option<Vec<String>>,
}

impl Narrowed {
    /// Reads the address.
    ///
    /// # Errors
    /// A value that says nothing, or a team that is not theirs.
    pub(super) fn by(visit: &Visit<'_>) -> Result<Self, Failure> {
        let asked = Filter::parse(&visit.query)?;
        let limited = visit.identity.as_ref().and_then(|one| one.teams());
        let filter = match &limited {
            None => asked.clone(),
            Some(teams) => asked.clone().within(teams).ok_or_else(|| {
                Failure::NotFound(
                    "You see your own teams only, and the address asks for another.".to_owned(),
                )
            })?,
        };
        Ok(Narrowed {
            asked,
            filter,
            limited,
        })
    }

    /// What is counted.
    pub(super) fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Whether a page that is narrowed by it lists this link.
    pub(super) fn lists(
        &self,
        visit: &Visit<'_>,
        link: &Link,
        organisation: &Organisation,
    ) -> bool {
        let owner = visit.setup.config.owners.of_link(link);
        let record = organisation.accounts.get(&link.alias.account);
        let unit = record.and_then(|record| record.unit.as_deref());
        self.filter.takes(link, &owner.team, unit) && visit.sees(&owner.team)
    }

    /// The fields of a form, and what other pages are asked for to count the same; pages of what is now have no days.
    pub(super) fn fields(&self, visit: &Visit<'_>, has_days: bool) -> Value {
        let (filter, limited) = (&self.asked, self.limited.as_deref());
        let known = visit.setup.config.owners.teams();
        let teams: Vec<&str> = match limited {
            Some(teams) => teams.iter().map(String::as_str).collect(),
            None => known.into_iter().collect(),
        };
        let severities = Severity::WORST_FIRST.into_iter();
        let severities = severities
            .map(|one| json!({ "name": one.label(), "is_on": filter.severity.contains(&one) }));
        let text = |name: &str, label: &str, hint: &str, values: &[String]| {
            let mut values = values.to_vec();
            if values.is_empty() {
                values.push(String::new());
            }
            json!({ "name": name, "label": label, "hint": hint, "values": values })
        };
        let day =
            |day: Option<jiff::civil::Date>| day.map(|day| day.to_string()).unwrap_or_default();
        json!({
            "teams": teams,
            "team": filter.team,
            "severities": severities.collect::<Vec<_>>(),
            "texts": [
                text("account", "Account", "12 digits", &filter.account),
                text("ou", "Organisational unit", "/prod", &filter.ou),
                text("region", "Region", "eu-west-1", &filter.region),
                text("product", "Product", "guardduty", &filter.product),
                text("control", "Control or rule", "S3.8", &filter.control),
            ],
            "has_days": has_days,
            "from": day(filter.from),
            "to": day(filter.to),
            "is_on": !filter.is_empty(),
            "query": filter.to_query(),
        })
    }
}
