//! Which rules cover a finding: compiled once, looked up by account or control first, so that thousands of rules cost
//! little per finding. Globs become finite automata (linear time), whatever they say.

use std::collections::HashMap;

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};
use jiff::civil::Date;
use memchr::memmem::Finder;

use super::super::finding::{AliasKey, Finding, Product, Resource};
use super::IgnoreRule;

/// A glob that cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the glob `{glob}` cannot be used: {why}")]
pub struct BadGlob {
    /// As written.
    pub glob: String,
    /// What is wrong.
    pub why: String,
}

/// Some globs, any of which may match.
#[derive(Clone, Debug)]
pub struct Globs {
    set: GlobSet,
    /// For each glob the pieces between its wildcards: a text without them cannot match. Most texts end here, which costs
    /// a fraction of what the automaton does. Empty where a glob has more than `*` and `?`.
    pieces: Vec<Vec<Finder<'static>>>,
}

impl Globs {
    /// Compiles them: `*` stands for any text, also across `/` and `:`, and `?` for one character.
    ///
    /// # Errors
    /// The first one that cannot be used.
    pub fn new<'a>(globs: impl IntoIterator<Item = &'a String>) -> Result<Self, BadGlob> {
        let mut set = GlobSetBuilder::new();
        let mut pieces = Vec::new();
        for glob in globs {
            set.add(parse(glob)?);
            pieces.push(pieces_of(glob));
        }
        let set = set.build().map_err(|error| BadGlob {
            glob: error.glob().unwrap_or_default().to_owned(),
            why: error.kind().to_string(),
        })?;
        Ok(Globs { set, pieces })
    }

    /// One of them matches.
    pub fn is_match(&self, text: &str) -> bool {
        let has = |piece: &Finder<'_>| piece.find(text.as_bytes()).is_some();
        self.pieces.iter().any(|all| all.iter().all(has)) && self.set.is_match(text)
    }
}

/// The longest come first, for they are the rarest; but every ARN begins as the glob does.
fn pieces_of(glob: &str) -> Vec<Finder<'static>> {
    // `**/` stands for nothing as well, its slash included.
    if glob.contains("**") || glob.contains(['[', ']', '{', '}', '\\']) {
        return Vec::new();
    }
    let mut pieces: Vec<&str> = glob.split(['*', '?']).collect();
    let beginning = pieces.remove(0);
    pieces.sort_by_key(|piece| std::cmp::Reverse(piece.len()));
    pieces.push(beginning);
    pieces.retain(|piece| piece.len() > 1);
    let finder = |piece: &str| Finder::new(piece).into_owned();
    pieces.into_iter().map(finder).collect()
}

fn parse(glob: &str) -> Result<Glob, BadGlob> {
    GlobBuilder::new(glob)
        .literal_separator(false)
        .backslash_escape(true)
        .build()
        .map_err(|error| BadGlob {
            glob: glob.to_owned(),
            why: error.kind().to_string(),
        })
}

/// Where an account is in the organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit<'a> {
    /// The organisation was not read.
    Unknown,
    /// The organisation was read, and the account is not in it.
    Nowhere,
    /// The path of its unit, such as `/prod/payments`.
    At(&'a str),
}

impl<'a> Unit<'a> {
    /// What the organisation says of an account.
    pub fn of(path: Option<&'a str>) -> Self {
        path.map_or(Unit::Nowhere, Unit::At)
    }
}

/// What rules ask of a finding. What is not known (of a finding that is gone, of an organisation that was not
/// read) counts as met.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Account id.
    pub account: &'a str,
    /// Where the account is in the organisation.
    pub unit: Unit<'a>,
    /// Region.
    pub region: &'a str,
    /// The short id of what was checked.
    pub control: Option<&'a str>,
    /// The AWS Config rule behind it.
    pub config_rule: Option<&'a str>,
    /// Who reports it.
    pub product: Option<&'a Product>,
    /// `Types`.
    pub types: Option<&'a [String]>,
    /// Resources with their tags.
    pub resources: Option<&'a [Resource]>,
    /// The id of the first resource.
    pub resource: &'a str,
}

impl<'a> Facts<'a> {
    /// Everything, from a finding that was read.
    pub fn of(finding: &'a Finding, unit: Unit<'a>) -> Self {
        Facts {
            account: &finding.alias.account,
            unit,
            region: &finding.alias.region,
            control: Some(&finding.rule.id),
            config_rule: finding.rule.config_rule.as_deref(),
            product: Some(&finding.product),
            types: Some(&finding.types),
            resources: Some(&finding.resources),
            resource: &finding.alias.resource,
        }
    }

    /// What a link knows of a finding that is gone.
    pub fn of_gone(alias: &'a AliasKey, unit: Unit<'a>) -> Self {
        Facts {
            account: &alias.account,
            unit,
            region: &alias.region,
            // Products without controls have their own name and the finding's id here.
            control: Some(alias.rule.as_str()).filter(|rule| !rule.contains('#')),
            config_rule: None,
            product: None,
            types: None,
            resources: None,
            resource: &alias.resource,
        }
    }
}

/// A part of a rule that a finding can fail to meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// `controls`
    Controls,
    /// `products`
    Products,
    /// `types`
    Types,
    /// `accounts`
    Accounts,
    /// `ou`
    Ou,
    /// `regions`
    Regions,
    /// `resources`
    Resources,
    /// `tags`
    Tags,
    /// `expires`
    Expires,
}

impl Field {
    const ALL: [Field; 9] = [
        Field::Accounts,
        Field::Controls,
        Field::Regions,
        Field::Products,
        Field::Ou,
        Field::Types,
        Field::Tags,
        Field::Resources,
        Field::Expires,
    ];

    /// The rule asks for something in this field.
    fn asks(self, rule: &IgnoreRule) -> bool {
        !match self {
            Field::Controls => rule.controls.is_empty(),
            Field::Products => rule.products.is_empty(),
            Field::Types => rule.types.is_empty(),
            Field::Accounts => rule.accounts.is_empty(),
            Field::Ou => rule.ou.is_empty(),
            Field::Regions => rule.regions.is_empty(),
            Field::Resources => rule.resources.is_empty(),
            Field::Tags => rule.tags.is_empty(),
            Field::Expires => false,
        }
    }

    /// The key in the file.
    pub fn key(self) -> &'static str {
        match self {
            Field::Controls => "controls",
            Field::Products => "products",
            Field::Types => "types",
            Field::Accounts => "accounts",
            Field::Ou => "ou",
            Field::Regions => "regions",
            Field::Resources => "resources",
            Field::Tags => "tags",
            Field::Expires => "expires",
        }
    }
}

/// A rule that covers a finding.
#[derive(Clone, Copy, Debug)]
pub struct Covered<'a> {
    /// The rule.
    pub rule: &'a IgnoreRule,
    /// Its position among the compiled rules.
    pub index: usize,
}

/// All rules, ready to be asked.
#[derive(Clone, Debug, Default)]
pub struct IgnoreRules {
    rules: Vec<Compiled>,
    by_account: HashMap<String, Vec<usize>>,
    by_control: HashMap<String, Vec<usize>>,
    by_product: HashMap<Product, Vec<usize>>,
    others: Vec<usize>,
}

#[derive(Clone, Debug)]
struct Compiled {
    rule: IgnoreRule,
    /// The fields that ask for something.
    asks: Vec<Field>,
    /// Those of them that a look-up does not answer.
    open: Vec<Field>,
    controls: Vec<String>,
    resources: Globs,
}

impl IgnoreRules {
    /// Compiles and indexes rules.
    ///
    /// # Errors
    /// The first glob that cannot be used.
    pub fn compile(rules: Vec<IgnoreRule>) -> Result<Self, BadGlob> {
        let mut compiled = IgnoreRules::default();
        for (index, rule) in rules.into_iter().enumerate() {
            let controls: Vec<String> = rule.controls.iter().map(|c| c.to_lowercase()).collect();
            if !rule.accounts.is_empty() {
                for account in &rule.accounts {
                    let at = compiled.by_account.entry(account.clone()).or_default();
                    at.push(index);
                }
            } else if !controls.is_empty() {
                for control in &controls {
                    let at = compiled.by_control.entry(control.clone()).or_default();
                    at.push(index);
                }
            } else if !rule.products.is_empty() {
                for product in &rule.products {
                    let at = compiled.by_product.entry(product.clone()).or_default();
                    at.push(index);
                }
            } else {
                compiled.others.push(index);
            }
            let asks = Field::ALL.into_iter().filter(|field| field.asks(&rule));
            let asks: Vec<Field> = asks.collect();
            // What is found by its control has it.
            let by_control = rule.accounts.is_empty();
            let answered = |field: &Field| by_control && *field == Field::Controls;
            compiled.rules.push(Compiled {
                resources: Globs::new(&rule.resources)?,
                open: asks.iter().copied().filter(|f| !answered(f)).collect(),
                asks,
                controls,
                rule,
            });
        }
        Ok(compiled)
    }

    /// The rules, in the order in which they were given.
    pub fn iter(&self) -> impl Iterator<Item = &IgnoreRule> {
        self.rules.iter().map(|compiled| &compiled.rule)
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// None at all.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// A rule by its id.
    pub fn get(&self, id: &str) -> Option<&IgnoreRule> {
        self.iter().find(|rule| rule.id == id)
    }

    /// A rule asks for the account's organisational unit.
    pub fn ask_for_ou(&self) -> bool {
        self.iter().any(|rule| !rule.ou.is_empty())
    }

    /// Every live rule that covers these facts; what is not known counts as met.
    pub fn covering<'a>(&'a self, facts: &Facts<'_>, today: Date) -> Vec<Covered<'a>> {
        let asked = Asked::new(facts, today);
        let mut found = Vec::new();
        self.each_candidate(&asked, |index| {
            let rule = &self.rules[index];
            let fields = if asked.is_looked_up() {
                &rule.open
            } else {
                &rule.asks
            };
            if fields.iter().all(|field| rule.meets(*field, &asked)) {
                let rule = &rule.rule;
                found.push(Covered { rule, index });
            }
        });
        // A rule may stand under both names of a control.
        found.sort_by_key(|covered| covered.index);
        found.dedup_by_key(|covered| covered.index);
        found
    }

    /// Hands on the positions of the rules that may cover the facts; all of them where too little is known to look them
    /// up.
    fn each_candidate(&self, asked: &Asked<'_>, take: impl FnMut(usize)) {
        let (Some(control), Some(product)) = (&asked.control, asked.facts.product) else {
            return (0..self.rules.len()).for_each(take);
        };
        let behind = asked.config_rule.as_ref().filter(|name| *name != control);
        let found = [
            self.by_account.get(asked.facts.account),
            self.by_control.get(control),
            behind.and_then(|name| self.by_control.get(name)),
            self.by_product.get(product),
            Some(&self.others),
        ];
        found
            .into_iter()
            .flatten()
            .flatten()
            .copied()
            .for_each(take);
    }

    /// The rule that is named where several cover a finding: the one that lasts longest, then the first by id.
    pub fn deciding<'a>(&'a self, facts: &Facts<'_>, today: Date) -> Option<&'a IgnoreRule> {
        self.covering(facts, today)
            .into_iter()
            .map(|covered| covered.rule)
            .min_by(|a, b| b.expires.cmp(&a.expires).then_with(|| a.id.cmp(&b.id)))
    }

    /// Why a rule does not cover these facts: every field that is not met.
    pub fn misses(&self, id: &str, facts: &Facts<'_>, today: Date) -> Vec<Field> {
        let asked = Asked::new(facts, today);
        let rule = self.rules.iter().find(|compiled| compiled.rule.id == id);
        rule.into_iter()
            .flat_map(|rule| {
                let missed = rule
                    .asks
                    .iter()
                    .filter(|field| !rule.meets(**field, &asked));
                missed.copied().collect::<Vec<_>>()
            })
            .collect()
    }
}

struct Asked<'a> {
    facts: &'a Facts<'a>,
    /// In lower case, as rules are compiled.
    control: Option<String>,
    config_rule: Option<String>,
    today: Date,
}

impl<'a> Asked<'a> {
    fn new(facts: &'a Facts<'a>, today: Date) -> Self {
        Asked {
            facts,
            control: facts.control.map(str::to_lowercase),
            config_rule: facts.config_rule.map(str::to_lowercase),
            today,
        }
    }
}

impl Asked<'_> {
    /// Enough is known to look rules up.
    fn is_looked_up(&self) -> bool {
        self.control.is_some() && self.facts.product.is_some()
    }
}

impl Compiled {
    fn meets(&self, field: Field, asked: &Asked<'_>) -> bool {
        let rule = &self.rule;
        let facts = asked.facts;
        match field {
            Field::Accounts => rule.accounts.iter().any(|id| id == facts.account),
            Field::Controls => match &asked.control {
                Some(known) => self
                    .controls
                    .iter()
                    .any(|control| control == known || Some(control) == asked.config_rule.as_ref()),
                None => true,
            },
            Field::Regions => rule.regions.iter().any(|region| region == facts.region),
            Field::Products => facts
                .product
                .is_none_or(|product| rule.products.contains(product)),
            Field::Ou => match facts.unit {
                Unit::Unknown => true,
                Unit::Nowhere => false,
                Unit::At(unit) => rule.ou.iter().any(|path| is_below(unit, path)),
            },
            Field::Types => facts.types.is_none_or(|types| {
                let given = |wanted: &String| types.iter().any(|found| is_below(found, wanted));
                rule.types.iter().any(given)
            }),
            Field::Tags => facts.resources.is_none_or(|resources| {
                all_of(resources, |resource| {
                    let has = |(key, value)| resource.tags.get(key) == Some(value);
                    rule.tags.iter().all(has)
                })
            }),
            Field::Resources => match facts.resources {
                Some(resources) => {
                    all_of(resources, |resource| self.resources.is_match(&resource.id))
                }
                None => self.resources.is_match(facts.resource),
            },
            Field::Expires => rule.is_live(asked.today),
        }
    }
}

/// There are resources, and each is so: a rule about resources says nothing of a finding that names none.
fn all_of(resources: &[Resource], is_so: impl Fn(&Resource) -> bool) -> bool {
    !resources.is_empty() && resources.iter().all(is_so)
}

/// A path is the other, or stands below it.
pub(super) fn is_below(path: &str, of: &str) -> bool {
    let of = of.trim_end_matches('/');
    path.strip_prefix(of)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
