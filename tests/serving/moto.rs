//! An SQS that nobody here wrote: moto's server, with a client of AWS's own SDK.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    dead_code,
    clippy::print_stderr
)]

use std::path::Path;
use std::process::{Child, Command, Stdio};

use asaf::clock::Clock;
use asaf::wire::aws::{Aws, AwsSettings, Credentials};
use asaf::wire::budget::Budget;
use asaf::wire::counts::Counts;
use asaf::wire::transport::Transport;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::{BehaviorVersion, Region};
use aws_sdk_sqs::types::QueueAttributeName;

use super::until;

pub(crate) const REGION: &str = "eu-west-1";

/// moto's server; ends when dropped.
pub(crate) struct Moto {
    process: Child,
    pub(crate) url: String,
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Moto {
    /// `None`, with a sentence, where moto is not installed; where CI must have it, that fails.
    pub(crate) fn start() -> Option<Self> {
        let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/venv/bin/python");
        let found = Command::new(&python)
            .args(["-c", "import moto.server"])
            .stderr(Stdio::null())
            .status();
        if !found.is_ok_and(|status| status.success()) {
            let missing = format!(
                "moto is not installed in {}; `make setup` installs it",
                python.display()
            );
            let required = ["CI", "ASAF_REQUIRE_CONTRACT"];
            let required = required.iter().any(|name| std::env::var_os(name).is_some());
            assert!(!required, "{missing}");
            eprintln!("skipped: {missing}");
            return None;
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let process = Command::new(&python)
            .args([
                "-m",
                "moto.server",
                "-H",
                "127.0.0.1",
                "-p",
                &port.to_string(),
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let moto = Moto {
            process,
            url: format!("http://127.0.0.1:{port}"),
        };
        until(|| std::net::TcpStream::connect(("127.0.0.1", port)).ok());
        Some(moto)
    }

    /// AWS's own client, without anything of ours.
    pub(crate) fn client(&self) -> Client {
        let keys = aws_sdk_sqs::config::Credentials::new("AKIA", "secret", None, None, "test");
        let config = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(REGION))
            .endpoint_url(&self.url)
            .credentials_provider(keys)
            .build();
        Client::from_conf(config)
    }

    /// A queue with these attributes; returns its URL.
    pub(crate) async fn queue(
        &self,
        name: &str,
        attributes: &[(QueueAttributeName, String)],
    ) -> String {
        let mut create = self.client().create_queue().queue_name(name);
        for (name, value) in attributes {
            create = create.attributes(name.clone(), value);
        }
        create.send().await.unwrap().queue_url.unwrap()
    }

    /// A queue whose messages are put aside after so many receives; returns both URLs.
    pub(crate) async fn queue_with_dead_letters(&self, name: &str, after: u32) -> (String, String) {
        let dead = self.queue(&format!("{name}-dead"), &[]).await;
        let arn = format!("arn:aws:sqs:{REGION}:123456789012:{name}-dead");
        let policy =
            serde_json::json!({ "deadLetterTargetArn": arn, "maxReceiveCount": after.to_string() });
        let attributes = [(QueueAttributeName::RedrivePolicy, policy.to_string())];
        (self.queue(name, &attributes).await, dead)
    }

    pub(crate) async fn send(&self, queue: &str, body: &str) {
        self.client()
            .send_message()
            .queue_url(queue)
            .message_body(body)
            .send()
            .await
            .unwrap();
    }

    /// Messages that are there, visible or not.
    pub(crate) async fn left(&self, queue: &str) -> u64 {
        let asked = self
            .client()
            .get_queue_attributes()
            .queue_url(queue)
            .attribute_names(QueueAttributeName::ApproximateNumberOfMessages)
            .attribute_names(QueueAttributeName::ApproximateNumberOfMessagesNotVisible)
            .send()
            .await
            .unwrap();
        let counts = asked.attributes.unwrap();
        counts
            .values()
            .map(|count| count.parse::<u64>().unwrap())
            .sum()
    }

    /// Messages that somebody else could receive now; they are visible again at once.
    pub(crate) async fn visible(&self, queue: &str) -> usize {
        let received = self
            .client()
            .receive_message()
            .queue_url(queue)
            .max_number_of_messages(10)
            .visibility_timeout(0)
            .send()
            .await
            .unwrap();
        received.messages.unwrap_or_default().len()
    }

    /// Our connection to it.
    pub(crate) async fn connect(&self) -> Aws {
        let settings = AwsSettings {
            region: REGION.to_owned(),
            endpoint_url: Some(self.url.clone()),
            aggregator: "org".to_owned(),
            member_role: Some("asaf-config-read".to_owned()),
            ..AwsSettings::default()
        };
        let credentials = Credentials::Fixed {
            key_id: "AKIA".to_owned(),
            secret: "secret".to_owned(),
        };
        let transport = Transport::network(std::time::Duration::from_secs(60)).unwrap();
        let budget = Budget::new(Clock::System);
        Aws::connect(settings, credentials, transport, budget, Counts::default()).await
    }
}
