//! The details of a finding that help a person to act, as (label, value) pairs.

use serde_json::Value;

use super::Product;

const MOST_PAIRS: usize = 12;
const MOST_CHARS: usize = 300;

/// At most 12 pairs, each value at most 300 characters; what a product does not give is left out.
pub(super) fn evidence(product: &Product, finding: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let fields = &finding["ProductFields"];
    match product {
        Product::GuardDuty | Product::Macie => guardduty(finding, &mut found),
        Product::AccessAnalyzer => {
            let other = &finding["Resources"][0]["Details"]["Other"];
            for (label, key) in [
                ("External principal", "External Principal"),
                ("Principal type", "External Principal Type"),
                ("Action granted", "Action Granted"),
                ("Condition", "Condition"),
                ("Unused actions", "numberOfUnusedActions"),
            ] {
                add(&mut found, label, &other[key]);
            }
        }
        Product::SecurityHub | Product::Config => {
            add(
                &mut found,
                "Config rule",
                &fields["RelatedAWSResources:0/name"],
            );
            add(
                &mut found,
                "Config rule",
                &fields["aws/config/ConfigRuleName"],
            );
            add(
                &mut found,
                "Annotation",
                &fields["aws/securityhub/annotation"],
            );
            add(
                &mut found,
                "Reason",
                &finding["Compliance"]["StatusReasons"][0]["Description"],
            );
        }
        Product::Inspector | Product::Partner(_) | Product::Custom => {}
    }
    vulnerabilities(finding, &mut found);
    found.truncate(MOST_PAIRS);
    found
}

fn guardduty(finding: &Value, found: &mut Vec<(String, String)>) {
    let fields = &finding["ProductFields"];
    for (label, key) in [
        ("Seen", "aws/guardduty/service/count"),
        ("Action", "aws/guardduty/service/action/actionType"),
        (
            "API called",
            "aws/guardduty/service/action/awsApiCallAction/api",
        ),
        (
            "Remote address",
            "aws/guardduty/service/action/awsApiCallAction/remoteIpDetails/ipAddressV4",
        ),
        (
            "Remote address",
            "aws/guardduty/service/action/networkConnectionAction/remoteIpDetails/ipAddressV4",
        ),
        (
            "Country",
            "aws/guardduty/service/action/awsApiCallAction/remoteIpDetails/country/countryName",
        ),
        (
            "Service",
            "aws/guardduty/service/action/awsApiCallAction/serviceName",
        ),
        (
            "Domain",
            "aws/guardduty/service/action/dnsRequestAction/domain",
        ),
        (
            "Port probed from",
            "aws/guardduty/service/action/portProbeAction/portProbeDetails.0_/remoteIpDetails/ipAddressV4",
        ),
        ("Role", "aws/guardduty/service/resourceRole"),
    ] {
        add(found, label, &fields[key]);
    }
    let resource = &finding["Resources"][0];
    add(
        found,
        "Actor",
        &resource["Details"]["AwsIamAccessKey"]["PrincipalName"],
    );
    add(
        found,
        "Actor",
        &resource["Details"]["AwsIamAccessKey"]["UserName"],
    );
    add(
        found,
        "Actor",
        &finding["Action"]["AwsApiCallAction"]["CallerType"],
    );
    add(
        found,
        "API called",
        &finding["Action"]["AwsApiCallAction"]["Api"],
    );
    let remote = &finding["Action"]["AwsApiCallAction"]["RemoteIpDetails"];
    add(found, "Remote address", &remote["IpAddressV4"]);
    add(found, "Country", &remote["Country"]["CountryName"]);
    add(found, "Direction", &finding["Network"]["Direction"]);
    add(found, "Source address", &finding["Network"]["SourceIpV4"]);
    add(found, "Action", &finding["Action"]["ActionType"]);
}

fn vulnerabilities(finding: &Value, found: &mut Vec<(String, String)>) {
    let Some(list) = finding["Vulnerabilities"].as_array() else {
        return;
    };
    for vulnerability in list.iter().take(3) {
        add(found, "Vulnerability", &vulnerability["Id"]);
        add(found, "Fix available", &vulnerability["FixAvailable"]);
        add(found, "CVSS", &vulnerability["Cvss"][0]["BaseScore"]);
        for package in vulnerability["VulnerablePackages"]
            .as_array()
            .into_iter()
            .flatten()
            .take(3)
        {
            let text = |key: &str| package[key].as_str().unwrap_or("?").to_owned();
            let line = match package["FixedInVersion"].as_str() {
                Some(fixed) => format!("{} {} (fixed in {fixed})", text("Name"), text("Version")),
                None => format!("{} {}", text("Name"), text("Version")),
            };
            add(found, "Package", &Value::String(line));
        }
    }
    if list.len() > 3 {
        add(found, "More vulnerabilities", &Value::from(list.len() - 3));
    }
}

fn add(found: &mut Vec<(String, String)>, label: &str, value: &Value) {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return,
    };
    let pair = (label.to_owned(), cut(text));
    if !pair.1.is_empty() && !found.contains(&pair) {
        found.push(pair);
    }
}

fn cut(text: String) -> String {
    let length = text.chars().count();
    if length <= MOST_CHARS {
        return text;
    }
    let head: String = text.chars().take(MOST_CHARS).collect();
    format!("{head}… ({} characters more)", length - MOST_CHARS)
}
