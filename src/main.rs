//! The command line: parse, call.

use std::process::ExitCode;

use clap::Parser as _;
use passerelle::commands::Cli;

#[tokio::main]
async fn main() -> ExitCode {
    passerelle::commands::trace();
    match Cli::parse().run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("passerelle: {error:#}");
            ExitCode::FAILURE
        }
    }
}
