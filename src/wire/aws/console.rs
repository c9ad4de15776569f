//! Links into the AWS console, for people.

use crate::wire::http::encode;

/// The page of one finding in Security Hub's list. The console reads its filter from the fragment, encoded twice.
pub fn console_url(region: &str, finding_id: &str) -> String {
    let host = match region {
        cn if cn.starts_with("cn-") => "console.amazonaws.cn",
        gov if gov.starts_with("us-gov-") => "console.amazonaws-us-gov.com",
        _ => "console.aws.amazon.com",
    };
    let id = encode(&encode(finding_id));
    format!(
        "https://{region}.{host}/securityhub/home?region={region}#/findings?search=Id%3D%255Coperator%255C%253AEQUALS%255C%253A{id}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_has_its_page_in_each_partition() {
        assert_eq!(
            console_url("eu-west-1", "arn:aws:x/1"),
            "https://eu-west-1.console.aws.amazon.com/securityhub/home?region=eu-west-1#/findings?search=Id%3D%255Coperator%255C%253AEQUALS%255C%253Aarn%253Aaws%253Ax%252F1"
        );
        assert!(console_url("cn-north-1", "x").contains(".console.amazonaws.cn/"));
        assert!(console_url("us-gov-west-1", "x").contains("amazonaws-us-gov.com/"));
    }
}
