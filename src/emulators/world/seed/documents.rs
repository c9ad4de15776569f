//! The documents of a seed: findings of AWS's own products, as these write them.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::emulators::config::Item;
use crate::emulators::security_hub::mark;

/// (control, severity, title, ASFF type, Config type, ARN with `{r}` Region, `{a}` account, `{n}` number)
pub(in super::super) const CONTROLS: [(&str, &str, &str, &str, &str, &str); 12] = [
    (
        "S3.8",
        "HIGH",
        "S3 buckets should block public access",
        "AwsS3Bucket",
        "AWS::S3::Bucket",
        "arn:aws:s3:::{a}-data-{n}",
    ),
    (
        "S3.5",
        "MEDIUM",
        "S3 buckets should require TLS",
        "AwsS3Bucket",
        "AWS::S3::Bucket",
        "arn:aws:s3:::{a}-logs-{n}",
    ),
    (
        "EC2.19",
        "CRITICAL",
        "Security groups should not open high-risk ports to the world",
        "AwsEc2SecurityGroup",
        "AWS::EC2::SecurityGroup",
        "arn:aws:ec2:{r}:{a}:security-group/sg-{n}",
    ),
    (
        "EC2.3",
        "MEDIUM",
        "EBS volumes should be encrypted",
        "AwsEc2Volume",
        "AWS::EC2::Volume",
        "arn:aws:ec2:{r}:{a}:volume/vol-{n}",
    ),
    (
        "EC2.8",
        "HIGH",
        "EC2 instances should use IMDSv2",
        "AwsEc2Instance",
        "AWS::EC2::Instance",
        "arn:aws:ec2:{r}:{a}:instance/i-{n}",
    ),
    (
        "Lambda.1",
        "CRITICAL",
        "Lambda functions should not be public",
        "AwsLambdaFunction",
        "AWS::Lambda::Function",
        "arn:aws:lambda:{r}:{a}:function:job-{n}",
    ),
    (
        "KMS.4",
        "MEDIUM",
        "KMS keys should rotate",
        "AwsKmsKey",
        "AWS::KMS::Key",
        "arn:aws:kms:{r}:{a}:key/key-{n}",
    ),
    (
        "SNS.1",
        "MEDIUM",
        "SNS topics should be encrypted",
        "AwsSnsTopic",
        "AWS::SNS::Topic",
        "arn:aws:sns:{r}:{a}:topic-{n}",
    ),
    (
        "DynamoDB.2",
        "MEDIUM",
        "DynamoDB tables should have backups",
        "AwsDynamoDbTable",
        "AWS::DynamoDB::Table",
        "arn:aws:dynamodb:{r}:{a}:table/table-{n}",
    ),
    (
        "IAM.3",
        "MEDIUM",
        "IAM users' access keys should be rotated",
        "AwsIamUser",
        "AWS::IAM::User",
        "arn:aws:iam::{a}:user/user-{n}",
    ),
    (
        "CloudTrail.2",
        "MEDIUM",
        "CloudTrail should be encrypted",
        "AwsCloudTrailTrail",
        "AWS::CloudTrail::Trail",
        "arn:aws:cloudtrail:{r}:{a}:trail/trail-{n}",
    ),
    (
        "Config.1",
        "LOW",
        "AWS Config should be enabled",
        "AwsAccount",
        "",
        "AWS::::Account:{a}",
    ),
];

/// What finds something.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(in super::super) enum Form {
    GuardDuty,
    Inspector,
    /// The control at `pick`.
    Control {
        pick: usize,
        passed: bool,
    },
}

impl Form {
    /// The finding's document.
    pub(in super::super) fn document(self, place: &Place) -> Value {
        match self {
            Form::GuardDuty => guardduty(place),
            Form::Inspector => inspector(place),
            Form::Control { pick, passed } => control(place, pick, passed),
        }
    }
}

/// Where and when a finding is found, in the texts of its document.
pub(in super::super) struct Place {
    /// Eight digits; ids and ARNs are made from them.
    number: String,
    cve: String,
    account: String,
    account_name: String,
    region: String,
    created: String,
    updated: String,
    /// The ARN of what it is found in; default a new one of the control's kind.
    pub(in super::super) resource: Option<String>,
}

impl Place {
    /// The nth finding's, which is a week old.
    pub(in super::super) fn new(
        n: usize,
        account: String,
        account_name: String,
        region: &str,
        updated: Timestamp,
    ) -> Self {
        Place {
            number: format!("{n:08x}"),
            cve: format!("CVE-2026-{:05}", n % 90_000),
            account,
            account_name,
            region: region.to_owned(),
            created: (updated - SignedDuration::from_hours(24 * 7)).to_string(),
            updated: updated.to_string(),
            resource: None,
        }
    }

    /// A place to make a mould of, with marks for [`Place::texts`].
    pub(super) fn marked() -> Self {
        Place {
            number: mark(0),
            cve: mark(1),
            account: mark(2),
            account_name: mark(3),
            region: mark(4),
            created: mark(5),
            updated: mark(6),
            resource: None,
        }
    }

    /// What stands for the marks of a mould.
    pub(super) fn texts(&self) -> [&str; 7] {
        [
            &self.number,
            &self.cve,
            &self.account,
            &self.account_name,
            &self.region,
            &self.created,
            &self.updated,
        ]
    }

    /// The resource that the control at `pick` looks at.
    fn arn(&self, pick: usize) -> String {
        let (.., arn) = CONTROLS[pick % CONTROLS.len()];
        let made = || {
            arn.replace("{r}", &self.region)
                .replace("{a}", &self.account)
                .replace("{n}", &self.number)
        };
        self.resource.clone().unwrap_or_else(made)
    }

    fn common(&self, product: &str, severity: &str, title: &str) -> Value {
        json!({
            "SchemaVersion": "2018-10-08",
            "ProductArn": format!("arn:aws:securityhub:{}::product/aws/{product}", self.region),
            "AwsAccountId": self.account,
            "AwsAccountName": self.account_name,
            "Region": self.region,
            "CreatedAt": self.created,
            "UpdatedAt": self.updated,
            "FirstObservedAt": self.created,
            "LastObservedAt": self.updated,
            "Severity": { "Label": severity, "Original": severity },
            "Title": title,
            "RecordState": "ACTIVE",
            "Workflow": { "Status": "NEW" },
        })
    }
}

fn control(place: &Place, pick: usize, passed: bool) -> Value {
    let (control, severity, title, kind, ..) = CONTROLS[pick % CONTROLS.len()];
    let Place {
        number,
        account,
        region,
        ..
    } = place;
    let mut finding = place.common(
        "securityhub",
        if passed { "INFORMATIONAL" } else { severity },
        title,
    );
    finding["Severity"]["Original"] = json!(severity);
    finding["Id"] = json!(format!(
        "arn:aws:securityhub:{region}:{account}:security-control/{control}/finding/{number}-0000-4000-8000-000000000000"
    ));
    finding["GeneratorId"] = json!(format!("security-control/{control}"));
    finding["Description"] = json!(format!(
        "Control {control} checks this setting of every resource of its kind."
    ));
    finding["Types"] =
        json!(["Software and Configuration Checks/Industry and Regulatory Standards"]);
    finding["Compliance"] =
        json!({ "Status": if passed { "PASSED" } else { "FAILED" }, "SecurityControlId": control });
    finding["Workflow"]["Status"] = json!(if passed { "RESOLVED" } else { "NEW" });
    finding["Remediation"]["Recommendation"] = json!({
        "Text": "The control's page says how to correct this.",
        "Url": format!("https://docs.aws.amazon.com/console/securityhub/{control}/remediation"),
    });
    finding["Resources"] =
        json!([{ "Type": kind, "Id": place.arn(pick), "Partition": "aws", "Region": region }]);
    finding["ProductFields"] = json!({ "RelatedAWSResources:0/type": "AWS::Config::ConfigRule",
        "RelatedAWSResources:0/name": format!("securityhub-{}-{number}", control.to_lowercase()) });
    finding
}

/// What AWS Config learns of that resource; nothing of an account as a whole.
pub(in super::super) fn item(place: &Place, pick: usize, at: Timestamp) -> Option<Item> {
    let (.., kind, _) = CONTROLS[pick % CONTROLS.len()];
    if kind.is_empty() {
        return None;
    }
    let arn = place.arn(pick);
    let tail = arn.rsplit([':', '/']).next().unwrap_or_default();
    let id = if kind == "AWS::SNS::Topic" {
        arn.clone()
    } else {
        tail.to_owned()
    };
    Some(Item {
        account: place.account.clone(),
        region: place.region.clone(),
        kind: kind.to_owned(),
        id,
        arn,
        captured_at: at,
        deleted: false,
    })
}

fn guardduty(place: &Place) -> Value {
    let account = &place.account;
    let mut finding = place.common(
        "guardduty",
        "HIGH",
        "An EC2 instance was probed by SSH brute force",
    );
    finding["Id"] = json!(format!(
        "arn:aws:guardduty:{}:{account}:detector/d/finding/{}",
        place.region, place.number
    ));
    finding["GeneratorId"] = json!(format!(
        "arn:aws:guardduty:{}:{account}:detector/d",
        place.region
    ));
    finding["Description"] = json!("Many failed SSH logins came from one address.");
    finding["Types"] = json!(["TTPs/Initial Access/UnauthorizedAccess:EC2-SSHBruteForce"]);
    finding["ProductFields"] = json!({ "aws/guardduty/service/count": "12" });
    let arn = format!(
        "arn:aws:ec2:{}:{account}:instance/i-{}",
        place.region, place.number
    );
    finding["Resources"] = json!([{ "Type": "AwsEc2Instance", "Id": arn, "Region": place.region }]);
    finding
}

fn inspector(place: &Place) -> Value {
    let account = &place.account;
    let cve = &place.cve;
    let mut finding = place.common("inspector", "HIGH", &format!("{cve} - openssl"));
    finding["Id"] = json!(format!(
        "arn:aws:inspector2:{}:{account}:finding/{}",
        place.region, place.number
    ));
    finding["GeneratorId"] = json!("AWSInspector");
    finding["Description"] = json!("A package with a known vulnerability is installed.");
    finding["Types"] = json!(["Software and Configuration Checks/Vulnerabilities/CVE"]);
    finding["Vulnerabilities"] = json!([{ "Id": cve, "FixAvailable": "YES", "Cvss": [{ "BaseScore": 8.1 }],
        "VulnerablePackages": [{ "Name": "openssl", "Version": "3.0.1", "FixedInVersion": "3.0.9" }] }]);
    let arn = format!(
        "arn:aws:ec2:{}:{account}:instance/i-{}",
        place.region, place.number
    );
    finding["Resources"] = json!([{ "Type": "AwsEc2Instance", "Id": arn, "Region": place.region }]);
    finding
}
