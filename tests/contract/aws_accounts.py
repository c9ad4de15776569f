"""boto3's STS, Organizations, IAM and Secrets Manager clients."""

import datetime

from aws_clients import ENGINE, HOME, READY, client, member, refused, run

sts = client("sts")
organizations = client("organizations")


def _accounts():
    pages = organizations.get_paginator("list_accounts").paginate()
    return [account for page in pages for account in page["Accounts"]]


def callers_are_told_who_they_are():
    found = sts.get_caller_identity()
    assert found["Account"] == HOME and found["Arn"].endswith(":assumed-role/asaf/session")
    refused("InvalidClientTokenId", client("sts", "AKIANOBODY").get_caller_identity)


def a_role_is_assumed_for_a_time():
    account = _accounts()[0]["Id"]
    arn = f"arn:aws:iam::{account}:role/asaf-config-read"
    answer = sts.assume_role(RoleArn=arn, RoleSessionName="contract", DurationSeconds=900)
    left = answer["Credentials"]["Expiration"] - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(minutes=13) < left < datetime.timedelta(minutes=16), left
    assert member("sts", account).get_caller_identity()["Account"] == account
    keys = answer["Credentials"]
    without_token = client("sts", keys["AccessKeyId"], keys["SecretAccessKey"])
    refused("InvalidClientTokenId", without_token.get_caller_identity)
    for role, code in (
        (f"arn:aws:iam::{account}:role/never-made", "AccessDenied"),
        ("arn:aws:iam::999999999999:role/asaf-config-read", "AccessDenied"),
        ("arn:aws:iam::nonsense-nonsense", "ValidationError"),
    ):
        refused(code, sts.assume_role, RoleArn=role, RoleSessionName="contract")
    refused("ValidationError", sts.assume_role, RoleArn=arn, RoleSessionName="contract", DurationSeconds=43200)
    refused("ValidationError", sts.assume_role, RoleArn=arn, RoleSessionName="not a name")


def accounts_are_paged_by_twenty():
    sizes = [len(page["Accounts"]) for page in organizations.get_paginator("list_accounts").paginate()]
    assert sizes == [20, 5], sizes
    refused("InvalidInputException", organizations.list_accounts, MaxResults=21)
    refused("InvalidInputException", organizations.list_accounts, NextToken="nonsense")
    account = _accounts()[3]
    assert account["State"] == "ACTIVE" and account["JoinedTimestamp"]
    assert organizations.describe_account(AccountId=account["Id"])["Account"] == account
    refused("AccountNotFoundException", organizations.describe_account, AccountId="999999999999")


def the_tree_holds_every_account_once():
    roots = [root for page in organizations.get_paginator("list_roots").paginate() for root in page["Roots"]]
    found, parents = [], [roots[0]["Id"]]
    while parents:
        parent = parents.pop()
        pages = organizations.get_paginator("list_accounts_for_parent").paginate(ParentId=parent)
        for account in (account for page in pages for account in page["Accounts"]):
            found.append(account["Id"])
            up = organizations.list_parents(ChildId=account["Id"])["Parents"]
            assert [row["Id"] for row in up] == [parent]
        pages = organizations.get_paginator("list_organizational_units_for_parent").paginate(ParentId=parent)
        for unit in (unit for page in pages for unit in page["OrganizationalUnits"]):
            described = organizations.describe_organizational_unit(OrganizationalUnitId=unit["Id"])
            assert described["OrganizationalUnit"] == unit
            parents.append(unit["Id"])
    assert sorted(found) == sorted(account["Id"] for account in _accounts())
    refused("ParentNotFoundException", organizations.list_accounts_for_parent, ParentId="r-none")
    refused("ChildNotFoundException", organizations.list_parents, ChildId="999999999999")
    missing = organizations.describe_organizational_unit
    refused("OrganizationalUnitNotFoundException", missing, OrganizationalUnitId="ou-none-12345678")


def tags_name_the_owner():
    account = _accounts()[0]["Id"]
    pages = organizations.get_paginator("list_tags_for_resource").paginate(ResourceId=account)
    tags = {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}
    assert tags == {"owner": "security"}, tags
    refused("TargetNotFoundException", organizations.list_tags_for_resource, ResourceId="999999999999")


def members_may_not_ask_about_the_organization():
    account = _accounts()[0]["Id"]
    refused("AccessDeniedException", member("organizations", account).list_accounts)
    described = member("organizations", account).describe_organization()["Organization"]
    assert described["FeatureSet"] == "ALL"


def the_account_has_an_alias():
    iam = client("iam")
    pages = iam.get_paginator("list_account_aliases").paginate()
    aliases = [alias for page in pages for alias in page["AccountAliases"]]
    assert aliases == ["asaf-security"], aliases
    other = member("iam", _accounts()[0]["Id"])
    assert other.list_account_aliases()["AccountAliases"] == []


def secrets_are_read_by_name_arn_version_and_stage():
    secrets = client("secretsmanager")
    found = secrets.get_secret_value(SecretId="asaf/jira")
    assert found["SecretString"] == READY["env"]["ASAF_JIRA_TOKEN"]
    assert found["VersionStages"] == ["AWSCURRENT"]
    same = secrets.get_secret_value(SecretId=found["ARN"], VersionId=found["VersionId"], VersionStage="AWSCURRENT")
    assert same["SecretString"] == found["SecretString"] and same["CreatedDate"]
    refused("ResourceNotFoundException", secrets.get_secret_value, SecretId="other")
    refused("ResourceNotFoundException", secrets.get_secret_value, SecretId="asaf/jira", VersionStage="AWSPREVIOUS")


def what_is_not_emulated_is_501():
    for call in (organizations.list_policies, client("iam").list_users, client("secretsmanager").list_secrets,
                 sts.get_session_token):
        arguments = {"Filter": "SERVICE_CONTROL_POLICY"} if call == organizations.list_policies else {}
        error = refused("NotImplemented", call, **arguments)
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 501


assert ENGINE == READY["env"]["AWS_ACCESS_KEY_ID"]

if __name__ == "__main__":
    run(globals())
