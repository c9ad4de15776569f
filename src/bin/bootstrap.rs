//! The Lambda function: AWS starts a file of this name (Lambda developer guide, "OS-only runtimes").

use std::path::PathBuf;

use asaf::jobs::lambda::Function;
use jiff::Timestamp;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;
use tracing_subscriber::EnvFilter;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let filter = EnvFilter::try_from_env("ASAF_LOG");
    tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter.unwrap_or_else(|_| EnvFilter::new("warn,asaf=info")))
        .init();
    let path =
        std::env::var_os("ASAF_CONFIG").map_or_else(|| PathBuf::from("asaf.toml"), PathBuf::from);
    let function = Function::start(&path).await?;
    let function = &function;
    run(service_fn(move |event: LambdaEvent<Value>| async move {
        let deadline = i64::try_from(event.context.deadline)
            .ok()
            .and_then(|at| Timestamp::from_millisecond(at).ok())
            .unwrap_or(Timestamp::MAX);
        function
            .call(&event.payload, deadline)
            .await
            .map_err(Error::from)
    }))
    .await
}
