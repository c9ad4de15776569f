//! Least privilege: the printed policies are what the documentation shows, what the code can ask for, and what it did ask
//! for; and they suffice.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod console;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use asaf::cli::Policy;
use asaf::emulators::jira::Role;
use asaf::emulators::world::{EVENTS_QUEUE, seed};
use asaf::jobs::doctor::iam::{Place, policy};
use console::Console;
use serde_json::{Value, json};

/// The scopes of the engine's token.
const SCOPES: [&str; 4] = [
    "read:jira-work",
    "write:jira-work",
    "read:jira-user",
    "manage:jira-configuration",
];

/// "No permissions are required to perform this operation" (STS API: GetCallerIdentity).
const FREE: &str = "sts:GetCallerIdentity";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn place(account: &str) -> Place {
    Place {
        account: account.to_owned(),
        region: "eu-west-1".to_owned(),
        member_role: seed::MEMBER_ROLE.to_owned(),
        external_id: None,
        queue: Some((account.to_owned(), EVENTS_QUEUE.to_owned())),
    }
}

/// What the statements allow.
fn allowed(policy: &Value) -> BTreeSet<String> {
    let statements = policy["Statement"].as_array().unwrap().iter();
    let actions =
        statements
            .filter(|one| one["Effect"] == "Allow")
            .flat_map(|one| match &one["Action"] {
                Value::Array(all) => all.clone(),
                one => vec![one.clone()],
            });
    actions
        .map(|action| action.as_str().unwrap().to_owned())
        .collect()
}

/// Everything that engine and member role are allowed.
fn granted() -> BTreeSet<String> {
    let place = place(seed::HOME_ACCOUNT);
    let mut all = allowed(&policy(Policy::Engine, &place));
    all.extend(allowed(&policy(Policy::MemberRole, &place)));
    all
}

#[test]
fn the_page_shows_what_the_program_prints() {
    let place = place("111122223333");
    let path = root().join("docs/permissions.md");
    let mut page = std::fs::read_to_string(&path).unwrap();
    let found = page.clone();
    let json = |which| format!("```json\n{:#}\n```\n", policy(which, &place));
    let scopes: String = SCOPES
        .iter()
        .map(|scope| format!("* `{scope}`\n"))
        .collect();
    for (mark, text) in [
        ("engine", json(Policy::Engine)),
        ("member-role", json(Policy::MemberRole)),
        ("member-trust", json(Policy::MemberTrust)),
        ("queue", json(Policy::Queue)),
        ("scopes", scopes),
    ] {
        let mark = format!("<!-- {mark} -->\n");
        let (before, after) = page.split_once(&mark).expect("the mark stands in the page");
        // What follows a mark is replaced up to the next line of text.
        let after = after.trim_start_matches('\n');
        let rest = match (after.strip_prefix("```json\n"), text.starts_with('*')) {
            (Some(block), _) => block.split_once("\n```\n").unwrap().1.to_owned(),
            (None, true) => {
                let lines = after.lines().skip_while(|line| line.starts_with("* `"));
                lines.map(|line| format!("{line}\n")).collect()
            }
            (None, false) => after.to_owned(),
        };
        page = format!("{before}{mark}\n{text}\n{}", rest.trim_start_matches('\n'));
    }
    if std::env::var_os("ASAF_BLESS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    assert!(
        found == page || std::env::var_os("ASAF_BLESS").is_some(),
        "docs/permissions.md is not what the program prints; make it with ASAF_BLESS=1 cargo test --test permissions"
    );
}

#[test]
fn the_policies_allow_exactly_what_the_code_can_ask_for() {
    let mut can = BTreeSet::new();
    let mut folders = vec![root().join("src/wire")];
    while let Some(folder) = folders.pop() {
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let product = text.split("#[cfg(test)]").next().unwrap();
            can.extend(
                product
                    .split('"')
                    .filter(|word| is_action(word))
                    .map(str::to_owned),
            );
        }
    }
    assert!(can.remove(FREE));
    assert_eq!(can, granted());
}

/// `service:Operation`, as IAM names it.
fn is_action(word: &str) -> bool {
    let services = [
        "securityhub",
        "config",
        "organizations",
        "sts",
        "sqs",
        "iam",
        "secretsmanager",
        "kms",
        "events",
    ];
    word.split_once(':').is_some_and(|(service, operation)| {
        services.contains(&service)
            && operation.starts_with(|c: char| c.is_ascii_uppercase())
            && operation.chars().all(|c| c.is_ascii_alphanumeric())
    })
}

/// The action of an operation, as the emulators count it.
fn action(operation: &str) -> String {
    let name = operation.trim_end_matches("Batch");
    let granted = granted();
    let mut known = granted.iter().filter(|action| {
        let (_, of) = action.split_once(':').unwrap();
        of == operation || of == name
    });
    let found = known
        .next()
        .unwrap_or_else(|| panic!("no policy allows {operation}"));
    found.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policies_suffice_for_everything_and_every_action_of_them_is_used() {
    let console = Console::with_findings(40).await;
    let place = place(seed::HOME_ACCOUNT);
    let queue = console.world.lock().queue_url(&console.urls.aws);
    {
        let iam = &mut console.world.lock().aws.iam;
        iam.set_policy("asaf", policy(Policy::Engine, &place));
        iam.set_policy(seed::MEMBER_ROLE, policy(Policy::MemberRole, &place));
    }
    console.configure(|text| text.push_str(&format!("\n[queue]\nurl = \"{queue}\"\n")));
    console.asaf(&["workflow", "apply"]).ends(0);
    console.asaf(&["reconcile"]).ends(0);
    // A resource is deleted: its ticket goes when the member account proves it.
    {
        let mut world = console.world.lock();
        let world = &mut *world;
        let arn = world.aws.config.items().next().unwrap().arn.clone();
        let now = world.clock.now();
        assert!(world.aws.config.delete(&arn, now, &mut world.journal));
    }
    console.asaf(&["reconcile", "--full"]).ends(0);
    console.asaf(&["doctor"]).ends(0);
    pass_on(&console, &queue).await;
    let operations = console.world.lock().requests.aws.clone();
    let used: BTreeSet<String> = operations
        .keys()
        .filter(|name| *name != "GetCallerIdentity")
        .map(|name| action(name))
        .collect();
    assert_eq!(used, granted());
}

/// What the Lambda function does with a webhook, and `asaf serve` with the message: they stay, so they are not run here.
async fn pass_on(console: &Console, queue: &str) {
    use asaf::clock::Clock;
    use asaf::emulators::world::{ENGINE_KEY, Side};
    use asaf::wire::aws::{Aws, AwsSettings, Credentials};
    use asaf::wire::budget::Budget;
    use asaf::wire::counts::Counts;
    use asaf::wire::sqs::Queue;
    let settings = AwsSettings {
        region: "eu-west-1".to_owned(),
        endpoint_url: Some(console.urls.aws.clone()),
        ..AwsSettings::default()
    };
    let credentials = Credentials::Fixed {
        key_id: ENGINE_KEY.to_owned(),
        secret: "emulated".to_owned(),
    };
    let transport = console.world.transport(Side::Aws);
    let budget = Budget::new(Clock::System);
    let aws = Aws::connect(settings, credentials, transport, budget, Counts::default()).await;
    let queue = Queue::new(&aws, queue);
    queue.send("{}", "a").await.unwrap();
    queue.receive(std::time::Duration::ZERO).await.unwrap();
}

/// A console whose engine has a token with these scopes.
async fn scoped(scopes: &[&str]) -> Console {
    let console = Console::prepared_with(20).await;
    let tenant = console.call(Role::Bot, "GET", "/_edge/tenant_info", json!(null));
    let tenant = tenant.expect(200);
    let cloud = tenant["cloudId"].as_str().unwrap();
    let site = console.urls.jira.clone();
    console.configure(|text| {
        let (own, gateway) = (
            format!("url = \"{site}\""),
            format!("url = \"{site}/ex/jira/{cloud}\""),
        );
        *text = text.replace(&own, &gateway);
        // Of the bot alone: the others have tokens without scopes.
        let (before, after) = text.split_once("[jira.admin]").unwrap();
        let (_, after) = after.split_once("[run]").unwrap();
        *text = format!("{before}[run]{after}");
    });
    let bot = console.user(Role::Bot).0;
    let mut world = console.world.lock();
    let user = world.jira.user_mut(&bot).unwrap();
    user.scopes = Some(scopes.iter().map(|scope| (*scope).to_owned()).collect());
    drop(world);
    console
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_with_the_documented_scopes_suffices_and_each_of_them_is_needed() {
    let console = scoped(&SCOPES).await;
    console.asaf(&["doctor"]).ends(0);
    console.asaf(&["reconcile"]).says(0, "created");
    for missing in SCOPES {
        let rest: Vec<&str> = SCOPES
            .into_iter()
            .filter(|scope| *scope != missing)
            .collect();
        let doctor = scoped(&rest).await.asaf(&["doctor"]);
        assert_ne!(doctor.code, 0, "{missing}: {}", doctor.out);
        assert!(doctor.out.contains(missing), "{missing}: {}", doctor.out);
    }
}
