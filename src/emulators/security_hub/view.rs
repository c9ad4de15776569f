//! What an onlooker sees of the findings without reading their documents: which there are, and how many. Changes nothing.

use super::SecurityHub;
use super::findings::Key;

impl SecurityHub {
    /// The keys of all findings, in order; only those with a workflow status if it is given, in any case of letters.
    pub fn keys<'a>(&'a self, workflow: Option<&'a str>) -> impl Iterator<Item = &'a Key> {
        let records = self.findings.iter().filter(move |record| {
            let status = record.now.fact("/Workflow/Status").flatten();
            workflow.is_none_or(|wanted| {
                status.is_some_and(|status| status.eq_ignore_ascii_case(wanted))
            })
        });
        records.map(|record| record.key.as_ref())
    }

    /// The ARNs of the products that have a finding with this id.
    pub fn products_with(&self, id: &str) -> Vec<String> {
        let numbers = self.findings.with_ids(&[id]).into_iter();
        let records = numbers.filter_map(|number| self.findings.record(number));
        records.map(|record| record.key.0.clone()).collect()
    }
}
