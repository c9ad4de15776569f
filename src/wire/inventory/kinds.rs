//! ASFF's resource types and ids as AWS Config names them.

use aws_sdk_config::types::ResourceType;

use crate::ports::ResourceQuery;

/// Names that do not follow from ASFF's by inserting `::`.
const EXCEPTIONS: [(&str, &str); 5] = [
    (
        "AwsElbv2LoadBalancer",
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
    ),
    (
        "AwsElbLoadBalancer",
        "AWS::ElasticLoadBalancing::LoadBalancer",
    ),
    ("AwsCertificateManagerCertificate", "AWS::ACM::Certificate"),
    ("AwsOpenSearchServiceDomain", "AWS::OpenSearch::Domain"),
    (
        "AwsStepFunctionStateMachine",
        "AWS::StepFunctions::StateMachine",
    ),
];

/// Types whose id in Config is the whole ARN.
const BY_ARN: [&str; 4] = [
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "AWS::SNS::Topic",
    "AWS::ACM::Certificate",
    "AWS::StepFunctions::StateMachine",
];

/// Types whose id in Config does not follow from the ARN (unique ids that only Config knows).
const OPAQUE: [&str; 5] = [
    "AWS::IAM::Role",
    "AWS::IAM::User",
    "AWS::IAM::Group",
    "AWS::IAM::Policy",
    "AWS::RDS::DBInstance",
];

/// Config's type and resource id, where both follow from what the finding says.
pub(super) fn in_config(query: &ResourceQuery) -> Option<(ResourceType, String)> {
    let kind = kind(&query.kind).or_else(|| kind_of_arn(&query.id))?;
    if OPAQUE.contains(&kind.as_str()) {
        return None;
    }
    if BY_ARN.contains(&kind.as_str()) {
        return Some((kind, query.id.clone()));
    }
    if kind.as_str() == "AWS::SQS::Queue" {
        // arn:aws:sqs:region:account:name; Config uses the queue's URL.
        let mut parts = query.id.split(':').skip(3);
        let (region, account, name) = (parts.next()?, parts.next()?, parts.next()?);
        return Some((
            kind,
            format!("{}sqs.{region}.amazonaws.com/{account}/{name}", "https://"),
        ));
    }
    let tail = query.id.splitn(6, ':').nth(5)?;
    let id = tail.rsplit([':', '/']).next().filter(|id| !id.is_empty())?;
    Some((kind, id.to_owned()))
}

/// `AwsS3Bucket` is `AWS::S3::Bucket`: compared without colons and case, because the words' borders are lost.
fn kind(asff: &str) -> Option<ResourceType> {
    if let Some((_, name)) = EXCEPTIONS.iter().find(|(from, _)| *from == asff) {
        return Some(ResourceType::from(*name));
    }
    let wanted = asff.to_ascii_lowercase();
    let name = ResourceType::values()
        .iter()
        .find(|name| name.replace("::", "").to_ascii_lowercase() == wanted)?;
    Some(ResourceType::from(*name))
}

/// Where the finding itself is gone, its resource's ARN is all there is.
fn kind_of_arn(arn: &str) -> Option<ResourceType> {
    let mut parts = arn.splitn(6, ':').skip(2);
    let (service, rest) = (parts.next()?, parts.nth(2)?);
    let word = rest
        .split(['/', ':'])
        .next()
        .filter(|word| word.len() < rest.len());
    let name = match (service, word) {
        ("s3", None) => "AWS::S3::Bucket",
        ("sqs", None) => "AWS::SQS::Queue",
        ("sns", None) => "AWS::SNS::Topic",
        ("lambda", Some("function")) => "AWS::Lambda::Function",
        ("ec2", Some("security-group")) => "AWS::EC2::SecurityGroup",
        ("ec2", Some("instance")) => "AWS::EC2::Instance",
        ("ec2", Some("volume")) => "AWS::EC2::Volume",
        ("ec2", Some("vpc")) => "AWS::EC2::VPC",
        ("kms", Some("key")) => "AWS::KMS::Key",
        ("dynamodb", Some("table")) => "AWS::DynamoDB::Table",
        _ => return None,
    };
    Some(ResourceType::from(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(kind: &str, id: &str) -> Option<(String, String)> {
        let query = ResourceQuery {
            account: "1".into(),
            region: "eu-west-1".into(),
            kind: kind.into(),
            id: id.into(),
        };
        in_config(&query).map(|(kind, id)| (kind.as_str().to_owned(), id))
    }

    #[test]
    fn types_and_ids_are_those_of_config() {
        for (asff, arn, kind, id) in [
            (
                "AwsS3Bucket",
                "arn:aws:s3:::logs",
                "AWS::S3::Bucket",
                "logs",
            ),
            (
                "AwsEc2SecurityGroup",
                "arn:aws:ec2:eu-west-1:1:security-group/sg-1",
                "AWS::EC2::SecurityGroup",
                "sg-1",
            ),
            (
                "AwsLambdaFunction",
                "arn:aws:lambda:eu-west-1:1:function:f",
                "AWS::Lambda::Function",
                "f",
            ),
            (
                "AwsCloudTrailTrail",
                "arn:aws:cloudtrail:eu-west-1:1:trail/t",
                "AWS::CloudTrail::Trail",
                "t",
            ),
            (
                "AwsSnsTopic",
                "arn:aws:sns:eu-west-1:1:t",
                "AWS::SNS::Topic",
                "arn:aws:sns:eu-west-1:1:t",
            ),
            ("", "arn:aws:s3:::logs", "AWS::S3::Bucket", "logs"),
            ("", "arn:aws:kms:eu-west-1:1:key/k", "AWS::KMS::Key", "k"),
        ] {
            assert_eq!(
                found(asff, arn),
                Some((kind.to_owned(), id.to_owned())),
                "{asff} {arn}"
            );
        }
    }

    #[test]
    fn what_config_does_not_record_or_names_otherwise_is_not_guessed() {
        for (asff, arn) in [
            ("AwsIamRole", "arn:aws:iam::1:role/admin"),
            ("AwsIamAccessKey", "arn:aws:iam::1:access-key/AKIA"),
            ("Container", "arn:aws:ecs:eu-west-1:1:container/c"),
            ("", "arn:aws:unheard:eu-west-1:1:thing/x"),
        ] {
            assert_eq!(found(asff, arn), None, "{asff} {arn}");
        }
    }

    #[test]
    fn most_types_of_asff_follow_by_rule() {
        let known = [
            "AwsRdsDbInstance",
            "AwsWafv2WebAcl",
            "AwsEventsEventbus",
            "AwsEc2Vpc",
            "AwsKmsKey",
            "AwsDynamoDbTable",
        ];
        assert!(known.iter().all(|asff| kind(asff).is_some()));
        assert!(
            EXCEPTIONS
                .iter()
                .all(|(_, name)| ResourceType::values().contains(name))
        );
    }
}
