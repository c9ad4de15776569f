//! Every filter attribute of GetFindings with the place in a finding that it looks at (Security Hub API:
//! `AwsSecurityFindingFilters`, `AwsSecurityFinding`).

/// How an attribute is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `StringFilter`
    Text,
    /// `DateFilter`
    Date,
    /// `NumberFilter`
    Number,
    /// `IpFilter`
    Address,
    /// `MapFilter`
    Map,
    /// `BooleanFilter`
    Flag,
    /// `KeywordFilter`: deprecated, and what it compares is not documented.
    Keyword,
}

/// Name, kind and path; `*` in a path stands for every element of a list.
pub(super) type Attribute = (&'static str, Kind, &'static str);

/// An attribute by its name.
pub(super) fn named(name: &str) -> Option<&'static Attribute> {
    ATTRIBUTES.iter().find(|(known, ..)| *known == name)
}

use Kind::{Address, Date, Flag, Keyword, Map, Number, Text};

#[rustfmt::skip]
pub(super) const ATTRIBUTES: [Attribute; 107] = [
    ("AwsAccountId", Text, "/AwsAccountId"),
    ("AwsAccountName", Text, "/AwsAccountName"),
    ("CompanyName", Text, "/CompanyName"),
    ("ComplianceAssociatedStandardsId", Text, "/Compliance/AssociatedStandards/*/StandardsId"),
    ("ComplianceSecurityControlId", Text, "/Compliance/SecurityControlId"),
    ("ComplianceSecurityControlParametersName", Text, "/Compliance/SecurityControlParameters/*/Name"),
    ("ComplianceSecurityControlParametersValue", Text, "/Compliance/SecurityControlParameters/*/Value/*"),
    ("ComplianceStatus", Text, "/Compliance/Status"),
    ("Confidence", Number, "/Confidence"),
    ("CreatedAt", Date, "/CreatedAt"),
    ("Criticality", Number, "/Criticality"),
    ("Description", Text, "/Description"),
    ("FindingProviderFieldsConfidence", Number, "/FindingProviderFields/Confidence"),
    ("FindingProviderFieldsCriticality", Number, "/FindingProviderFields/Criticality"),
    ("FindingProviderFieldsRelatedFindingsId", Text, "/FindingProviderFields/RelatedFindings/*/Id"),
    ("FindingProviderFieldsRelatedFindingsProductArn", Text, "/FindingProviderFields/RelatedFindings/*/ProductArn"),
    ("FindingProviderFieldsSeverityLabel", Text, "/FindingProviderFields/Severity/Label"),
    ("FindingProviderFieldsSeverityOriginal", Text, "/FindingProviderFields/Severity/Original"),
    ("FindingProviderFieldsTypes", Text, "/FindingProviderFields/Types/*"),
    ("FirstObservedAt", Date, "/FirstObservedAt"),
    ("GeneratorId", Text, "/GeneratorId"),
    ("Id", Text, "/Id"),
    ("Keyword", Keyword, ""),
    ("LastObservedAt", Date, "/LastObservedAt"),
    ("MalwareName", Text, "/Malware/*/Name"),
    ("MalwarePath", Text, "/Malware/*/Path"),
    ("MalwareState", Text, "/Malware/*/State"),
    ("MalwareType", Text, "/Malware/*/Type"),
    ("NetworkDestinationDomain", Text, "/Network/DestinationDomain"),
    ("NetworkDestinationIpV4", Address, "/Network/DestinationIpV4"),
    ("NetworkDestinationIpV6", Address, "/Network/DestinationIpV6"),
    ("NetworkDestinationPort", Number, "/Network/DestinationPort"),
    ("NetworkDirection", Text, "/Network/Direction"),
    ("NetworkProtocol", Text, "/Network/Protocol"),
    ("NetworkSourceDomain", Text, "/Network/SourceDomain"),
    ("NetworkSourceIpV4", Address, "/Network/SourceIpV4"),
    ("NetworkSourceIpV6", Address, "/Network/SourceIpV6"),
    ("NetworkSourceMac", Text, "/Network/SourceMac"),
    ("NetworkSourcePort", Number, "/Network/SourcePort"),
    ("NoteText", Text, "/Note/Text"),
    ("NoteUpdatedAt", Date, "/Note/UpdatedAt"),
    ("NoteUpdatedBy", Text, "/Note/UpdatedBy"),
    ("ProcessLaunchedAt", Date, "/Process/LaunchedAt"),
    ("ProcessName", Text, "/Process/Name"),
    ("ProcessParentPid", Number, "/Process/ParentPid"),
    ("ProcessPath", Text, "/Process/Path"),
    ("ProcessPid", Number, "/Process/Pid"),
    ("ProcessTerminatedAt", Date, "/Process/TerminatedAt"),
    ("ProductArn", Text, "/ProductArn"),
    ("ProductFields", Map, "/ProductFields"),
    ("ProductName", Text, "/ProductName"),
    ("RecommendationText", Text, "/Remediation/Recommendation/Text"),
    ("RecordState", Text, "/RecordState"),
    ("Region", Text, "/Region"),
    ("RelatedFindingsId", Text, "/RelatedFindings/*/Id"),
    ("RelatedFindingsProductArn", Text, "/RelatedFindings/*/ProductArn"),
    ("ResourceApplicationArn", Text, "/Resources/*/ApplicationArn"),
    ("ResourceApplicationName", Text, "/Resources/*/ApplicationName"),
    ("ResourceAwsEc2InstanceIamInstanceProfileArn", Text, "/Resources/*/Details/AwsEc2Instance/IamInstanceProfileArn"),
    ("ResourceAwsEc2InstanceImageId", Text, "/Resources/*/Details/AwsEc2Instance/ImageId"),
    ("ResourceAwsEc2InstanceIpV4Addresses", Address, "/Resources/*/Details/AwsEc2Instance/IpV4Addresses/*"),
    ("ResourceAwsEc2InstanceIpV6Addresses", Address, "/Resources/*/Details/AwsEc2Instance/IpV6Addresses/*"),
    ("ResourceAwsEc2InstanceKeyName", Text, "/Resources/*/Details/AwsEc2Instance/KeyName"),
    ("ResourceAwsEc2InstanceLaunchedAt", Date, "/Resources/*/Details/AwsEc2Instance/LaunchedAt"),
    ("ResourceAwsEc2InstanceSubnetId", Text, "/Resources/*/Details/AwsEc2Instance/SubnetId"),
    ("ResourceAwsEc2InstanceType", Text, "/Resources/*/Details/AwsEc2Instance/Type"),
    ("ResourceAwsEc2InstanceVpcId", Text, "/Resources/*/Details/AwsEc2Instance/VpcId"),
    ("ResourceAwsIamAccessKeyCreatedAt", Date, "/Resources/*/Details/AwsIamAccessKey/CreatedAt"),
    ("ResourceAwsIamAccessKeyPrincipalName", Text, "/Resources/*/Details/AwsIamAccessKey/PrincipalName"),
    ("ResourceAwsIamAccessKeyStatus", Text, "/Resources/*/Details/AwsIamAccessKey/Status"),
    ("ResourceAwsIamAccessKeyUserName", Text, "/Resources/*/Details/AwsIamAccessKey/UserName"),
    ("ResourceAwsIamUserUserName", Text, "/Resources/*/Details/AwsIamUser/UserName"),
    ("ResourceAwsS3BucketOwnerId", Text, "/Resources/*/Details/AwsS3Bucket/OwnerId"),
    ("ResourceAwsS3BucketOwnerName", Text, "/Resources/*/Details/AwsS3Bucket/OwnerName"),
    ("ResourceContainerImageId", Text, "/Resources/*/Details/Container/ImageId"),
    ("ResourceContainerImageName", Text, "/Resources/*/Details/Container/ImageName"),
    ("ResourceContainerLaunchedAt", Date, "/Resources/*/Details/Container/LaunchedAt"),
    ("ResourceContainerName", Text, "/Resources/*/Details/Container/Name"),
    ("ResourceDetailsOther", Map, "/Resources/*/Details/Other"),
    ("ResourceId", Text, "/Resources/*/Id"),
    ("ResourceOwnerAccountId", Text, "/Resources/*/Owner/Account/Id"),
    ("ResourceOwnerOrgId", Text, "/Resources/*/Owner/Org/Id"),
    ("ResourcePartition", Text, "/Resources/*/Partition"),
    ("ResourceProvider", Text, "/Resources/*/Provider"),
    ("ResourceRegion", Text, "/Resources/*/Region"),
    ("ResourceTags", Map, "/Resources/*/Tags"),
    ("ResourceType", Text, "/Resources/*/Type"),
    ("Sample", Flag, "/Sample"),
    ("SeverityLabel", Text, "/Severity/Label"),
    ("SeverityNormalized", Number, "/Severity/Normalized"),
    ("SeverityProduct", Number, "/Severity/Product"),
    ("SourceUrl", Text, "/SourceUrl"),
    ("ThreatIntelIndicatorCategory", Text, "/ThreatIntelIndicators/*/Category"),
    ("ThreatIntelIndicatorLastObservedAt", Date, "/ThreatIntelIndicators/*/LastObservedAt"),
    ("ThreatIntelIndicatorSource", Text, "/ThreatIntelIndicators/*/Source"),
    ("ThreatIntelIndicatorSourceUrl", Text, "/ThreatIntelIndicators/*/SourceUrl"),
    ("ThreatIntelIndicatorType", Text, "/ThreatIntelIndicators/*/Type"),
    ("ThreatIntelIndicatorValue", Text, "/ThreatIntelIndicators/*/Value"),
    ("Title", Text, "/Title"),
    ("Type", Text, "/Types/*"),
    ("UpdatedAt", Date, "/UpdatedAt"),
    ("UserDefinedFields", Map, "/UserDefinedFields"),
    ("VerificationState", Text, "/VerificationState"),
    ("VulnerabilitiesExploitAvailable", Text, "/Vulnerabilities/*/ExploitAvailable"),
    ("VulnerabilitiesFixAvailable", Text, "/Vulnerabilities/*/FixAvailable"),
    ("WorkflowState", Text, "/WorkflowState"),
    ("WorkflowStatus", Text, "/Workflow/Status"),
];
