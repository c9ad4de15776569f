//! Who reports a finding, what it is about, and which rule found it, per product (facts: Security Hub user guide,
//! "Sample control findings", "Consolidated control findings", and each product's integration page).

use serde_json::Value;

use super::{AliasKey, Product, Resource, Rule};

/// The product of a `ProductArn`: `arn:…:product/<company>/<product>`, or `…:product/<account>/default`.
pub(super) fn product(product_arn: &str) -> Product {
    let tail = product_arn
        .rsplit_once(":product/")
        .map_or("", |(_, tail)| tail);
    match tail {
        "aws/securityhub" => Product::SecurityHub,
        "aws/config" => Product::Config,
        "aws/guardduty" => Product::GuardDuty,
        "aws/access-analyzer" => Product::AccessAnalyzer,
        "aws/inspector" => Product::Inspector,
        "aws/macie" => Product::Macie,
        _ if tail.ends_with("/default") => Product::Custom,
        _ => Product::Partner(tail.to_owned()),
    }
}

impl Product {
    /// Who reports findings with this `ProductArn`.
    pub fn of_arn(product_arn: &str) -> Self {
        product(product_arn)
    }

    /// The name that people know.
    pub fn name(&self) -> &str {
        match self {
            Product::SecurityHub => "Security Hub",
            Product::Config => "AWS Config",
            Product::GuardDuty => "GuardDuty",
            Product::AccessAnalyzer => "IAM Access Analyzer",
            Product::Inspector => "Inspector",
            Product::Macie => "Macie",
            Product::Partner(name) if name.is_empty() => "an unknown product",
            Product::Partner(name) => name,
            Product::Custom => "a custom product",
        }
    }
}

impl Product {
    /// The name as settings write it: the end of AWS's own product ARNs, or `company/product`.
    pub fn word(&self) -> &str {
        match self {
            Product::SecurityHub => "securityhub",
            Product::Config => "config",
            Product::GuardDuty => "guardduty",
            Product::AccessAnalyzer => "access-analyzer",
            Product::Inspector => "inspector",
            Product::Macie => "macie",
            Product::Partner(name) => name,
            Product::Custom => "custom",
        }
    }
}

/// What was checked, in the short form that people know.
pub(super) fn rule(product: &Product, finding: &Value) -> Rule {
    let fields = &finding["ProductFields"];
    let text = |value: &Value| {
        value
            .as_str()
            .map(str::trim)
            .filter(|s| !s.is_empty())
            .map(str::to_owned)
    };
    let config_rule = (fields["RelatedAWSResources:0/type"].as_str()
        == Some("AWS::Config::ConfigRule"))
    .then(|| text(&fields["RelatedAWSResources:0/name"]))
    .flatten()
    .or_else(|| text(&fields["aws/config/ConfigRuleName"]));
    let generator = finding["GeneratorId"].as_str().unwrap_or_default();
    let id =
        match product {
            Product::SecurityHub => text(&finding["Compliance"]["SecurityControlId"])
                .or_else(|| text(&fields["ControlId"]))
                .or_else(|| text(&fields["RuleId"]).map(|rule| format!("CIS.{rule}")))
                .or_else(|| generator.rsplit('/').next().map(str::to_owned)),
            Product::Config => config_rule
                .clone()
                .or_else(|| generator.rsplit('/').next().map(str::to_owned)),
            Product::GuardDuty | Product::Macie => text(&finding["Types"][0])
                .and_then(|kind| kind.rsplit('/').next().map(guardduty_type)),
            Product::AccessAnalyzer => text(&finding["Types"][0])
                .and_then(|kind| kind.rsplit('/').next().map(str::to_owned)),
            Product::Inspector | Product::Partner(_) | Product::Custom => {
                text(&finding["Vulnerabilities"][0]["Id"]).or_else(|| text(&fields["RuleId"]))
            }
        };
    let id = id
        .filter(|id| !id.is_empty())
        .unwrap_or_else(|| short(generator));
    Rule { id, config_rule }
}

/// ASFF spells GuardDuty's `UnauthorizedAccess:EC2/SSHBruteForce` with a hyphen for the slash.
fn guardduty_type(kind: &str) -> String {
    kind.replacen('-', "/", 1)
}

/// The end of a long generator id.
fn short(generator: &str) -> String {
    let tail = generator.rsplit('/').next().unwrap_or(generator);
    let cut: String = tail.chars().take(80).collect();
    if cut.is_empty() {
        "unknown rule".to_owned()
    } else {
        cut
    }
}

/// What a finding is about. Only controls and Config rules have one finding per (account, Region, rule, resource).
pub(super) fn alias(
    product: &Product,
    account: &str,
    region: &str,
    rule: &Rule,
    finding_id: &str,
    resources: &[Resource],
) -> AliasKey {
    let rule = match product {
        Product::SecurityHub | Product::Config => rule.id.to_lowercase(),
        _ => format!("{}#{finding_id}", product.name().to_lowercase()),
    };
    AliasKey {
        account: account.to_owned(),
        region: region.to_owned(),
        rule,
        resource: resources
            .first()
            .map(|resource| resource.id.clone())
            .unwrap_or_default(),
    }
}
