//! Imports a large package and says how long it took and how much memory the process held at most:
//! an import reads a package as a stream, whatever its size. `docs/performance.md` says how to run it.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use clap::Parser;
use passerelle::app::App;
use passerelle::clock::Clock;
use passerelle::config::Config;
use passerelle::courses::import::{NewVersion, import};
use passerelle::web::Lang;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

#[derive(Parser)]
struct Options {
    /// The package's size in megabytes.
    #[arg(long, default_value_t = 500)]
    megabytes: u64,
    /// How many files it has.
    #[arg(long, default_value_t = 500)]
    files: u64,
    /// Deflate the files, among them videos, which are then kept a second time, inflated.
    #[arg(long)]
    deflated: bool,
    /// `sqlite:…` or `postgres://…`; a SQLite file in a temporary folder when left out.
    #[arg(long)]
    database: Option<String>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    ensure!(options.files > 0 && options.megabytes > 0, "nothing to do");
    let folder = tempfile::tempdir()?;
    let package = folder.path().join("package.zip");
    write_package(&package, &options).context("the package cannot be written")?;
    let bytes = fs::metadata(&package)?.len();
    let sqlite = format!("sqlite:{}", folder.path().join("passerelle.sqlite").display());
    let config = Config {
        database_url: options.database.clone().unwrap_or(sqlite),
        blobs: folder.path().join("blobs"),
        ..Config::default()
    };
    let app = App::start(config, Clock::System).await?;
    let before = peak_memory()?;
    let began = Instant::now();
    let new = NewVersion {
        slug: format!("large-{}", std::process::id()),
        language: Lang::Fr,
        version: "1".to_owned(),
        title: None,
        description: String::new(),
        duration_minutes: 60,
    };
    let (_, findings) = import(&app, package, new).await?;
    let spent = began.elapsed().as_secs_f64();
    let after = peak_memory()?;
    println!("package                 {:.1} MB, {} files", bytes as f64 / 1e6, options.files);
    println!("imported in             {spent:.2} s, {:.0} MB/s", bytes as f64 / 1e6 / spent);
    println!("findings                {}", findings.len());
    println!("peak memory before      {before} KB");
    println!("peak memory after       {after} KB");
    Ok(())
}

/// A package of one lesson and files of noise, which does not compress.
fn write_package(path: &Path, options: &Options) -> anyhow::Result<()> {
    let mut writer = ZipWriter::new(File::create(path)?);
    let method =
        if options.deflated { CompressionMethod::Deflated } else { CompressionMethod::Stored };
    let how = SimpleFileOptions::default().compression_method(method);
    writer.start_file("imsmanifest.xml", how)?;
    writer.write_all(
        b"<manifest identifier='large' xmlns='http://www.imsglobal.org/xsd/imscp_v1p1' \
          xmlns:adlcp='http://www.adlnet.org/xsd/adlcp_v1p3'><metadata>\
          <schemaversion>2004 4th Edition</schemaversion></metadata>\
          <organizations default='o'><organization identifier='o'><title>Large</title>\
          <item identifier='i' identifierref='r'><title>Lesson</title></item>\
          </organization></organizations><resources><resource identifier='r' type='webcontent' \
          adlcp:scormType='sco' href='index.html'/></resources></manifest>",
    )?;
    writer.start_file("index.html", how)?;
    writer.write_all(b"<!doctype html><title>Lesson</title>")?;
    let each = options.megabytes * 1_000_000 / options.files;
    let mut noise = Noise(1);
    let mut piece = vec![0; 64 << 10];
    for number in 0..options.files {
        let extension = if number % 10 == 0 { "mp4" } else { "bin" };
        writer.start_file(format!("media/{number}.{extension}"), how)?;
        let mut left = each as usize;
        while left > 0 {
            let size = left.min(piece.len());
            noise.fill(&mut piece[..size]);
            writer.write_all(&piece[..size])?;
            left -= size;
        }
    }
    writer.finish()?.sync_all()?;
    Ok(())
}

/// SplitMix64: the same package each time.
struct Noise(u64);

impl Noise {
    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut mixed = self.0;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            mixed ^= mixed >> 31;
            chunk.copy_from_slice(&mixed.to_le_bytes()[..chunk.len()]);
        }
    }
}

/// The most memory this process has held so far, in kilobytes (`VmHWM`, Linux).
fn peak_memory() -> anyhow::Result<u64> {
    let status = fs::read_to_string("/proc/self/status").context("peak memory is read on Linux")?;
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok())
        .context("/proc/self/status names no VmHWM")
}
