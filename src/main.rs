//! Parse, run, exit code.

use std::path::Path;

use asaf::cli::{Cli, Command, Exit, FindingsCommand, LogFormat, usage_error};
use asaf::config::ConfigError;
use asaf::jobs;
use asaf::talk::{Loudness, Talk, plain};
use clap::Parser as _;
use clap::error::ErrorKind;
use tracing_subscriber::EnvFilter;

/// Documents of two services are taken apart into millions of small pieces: with the C library's allocator the job takes
/// two thirds more processor time (docs/benchmarks.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Threads that answer deliveries, besides the one that decides.
const SERVE_THREADS: usize = 2;

fn main() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return not_a_command(&error),
    };
    let talk = Talk::new(cli.global.loudness());
    start_log(&cli);
    match run(cli, talk) {
        Ok(exit) => exit,
        Err(error) => report(&error, talk),
    }
}

fn run(cli: Cli, talk: Talk) -> anyhow::Result<Exit> {
    match cli.command {
        Command::Config(args) => jobs::config::run(&args.command, &cli.global.config, talk),
        Command::Findings(args) => {
            let FindingsCommand::Check { paths, output } = args.command;
            jobs::findings_check::run(&paths, output)
        }
        Command::Serve(args) => {
            // What decides may take a while of one thread; deliveries are answered on the others.
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(SERVE_THREADS)
                .enable_all()
                .build()?;
            runtime.block_on(jobs::serve::run(&args, &cli.global.config, talk))
        }
        command => {
            // One thread: a run waits for two vendors, and every further thread costs an arena of memory.
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(run_async(command, &cli.global.config, talk))
        }
    }
}

async fn run_async(command: Command, config: &Path, talk: Talk) -> anyhow::Result<Exit> {
    match command {
        Command::Init(args) => jobs::init::run(&args, talk).await,
        Command::Plan(args) => jobs::sync::plan(&args, config, talk).await,
        Command::Apply(args) => jobs::sync::apply(&args, config, talk).await,
        Command::Reconcile(args) => jobs::sync::reconcile(&args, config, talk).await,
        Command::Ignore(args) => jobs::ignore::run(&args.command, config, talk).await,
        Command::Template(args) => jobs::template::run(&args.command, config).await,
        Command::Owners(args) => jobs::owners::run(&args.command, config).await,
        Command::Review(args) => jobs::review::run(&args, config, talk).await,
        Command::Explain(args) => jobs::explain::run(&args.subject, args.output, config).await,
        Command::Quarantine(args) => jobs::quarantine::run(&args.command, config, talk).await,
        Command::Pause(args) => jobs::pause::pause(&args.command, config, talk).await,
        Command::Resume(args) => jobs::pause::resume(&args.command, config, talk).await,
        Command::Digest(args) => jobs::digest::run(&args, config, talk).await,
        Command::Report(args) => jobs::figures::run(&args, config, talk).await,
        Command::Store(args) => jobs::store::run(&args.command, config, talk).await,
        Command::Workflow(args) => jobs::workflow::run(&args.command, config, talk).await,
        Command::Demo(args) => jobs::demo::run(&args, talk).await,
        Command::Emulate(args) => jobs::emulate::run(&args, talk).await,
        Command::Webhook(args) => jobs::hook::run(&args.command, config, talk).await,
        Command::Doctor(args) => jobs::doctor::run(&args, config, talk).await,
        Command::Config(_) | Command::Findings(_) | Command::Serve(_) => Ok(Exit::Usage),
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
    if let Some(refused) = error.downcast_ref::<jobs::ignore::Refused>() {
        // So does this one.
        talk.error(&format!("error: {refused}"));
        return Exit::Failed;
    }
    talk.error(&format!("error: {}", plain(&format!("{error:#}"))));
    Exit::Failed
}

fn start_log(cli: &Cli) {
    let global = &cli.global;
    let stays = matches!(cli.command, Command::Serve(_));
    let default = match global.loudness() {
        Loudness::Quiet => "error",
        // Nobody looks at a process that stays: its log is all that it says.
        Loudness::Normal if stays => "warn,asaf=info",
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
