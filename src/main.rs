//! Parse, run, exit code.

use asaf::cli::{Cli, Command, Exit, GlobalArgs, LogFormat, usage_error};
use asaf::config::ConfigError;
use asaf::jobs;
use asaf::talk::{Loudness, Talk, plain};
use clap::Parser as _;
use clap::error::ErrorKind;
use tracing_subscriber::EnvFilter;

fn main() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return not_a_command(&error),
    };
    let talk = Talk::new(cli.global.loudness());
    start_log(&cli.global);
    match run(cli, talk) {
        Ok(exit) => exit,
        Err(error) => report(&error, talk),
    }
}

fn run(cli: Cli, talk: Talk) -> anyhow::Result<Exit> {
    match cli.command {
        Command::Init(args) => jobs::init::run(&args, talk),
        Command::Config(args) => jobs::config::run(&args.command, &cli.global.config, talk),
    }
}

/// Help and version are answers; everything else that clap says is a usage error.
fn not_a_command(error: &clap::Error) -> Exit {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => match error.print() {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Exit::Failed,
            _ => Exit::Ok,
        },
        _ => {
            Talk::default().error(&usage_error(error));
            Exit::Usage
        }
    }
}

/// Says an error once, with its causes.
fn report(error: &anyhow::Error, talk: Talk) -> Exit {
    if let Some(configuration) = error.downcast_ref::<ConfigError>() {
        // Its text has lines and was made plain where it was made.
        talk.error(&configuration.to_string());
        return Exit::Configuration;
    }
    talk.error(&format!("error: {}", plain(&format!("{error:#}"))));
    Exit::Failed
}

fn start_log(global: &GlobalArgs) {
    let default = match global.loudness() {
        Loudness::Quiet => "error",
        Loudness::Normal => "warn",
        Loudness::Verbose => "warn,asaf=info",
    };
    let filter = EnvFilter::try_from_env("ASAF_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match global.log_format {
        LogFormat::Json => log.json().init(),
        // Colour codes of the log would need their own look at NO_COLOR and the terminal.
        LogFormat::Text => log.with_ansi(false).init(),
    }
}
