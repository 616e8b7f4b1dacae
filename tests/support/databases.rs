//! One test body, two databases.
//!
//! SQLite is a temporary file. PostgreSQL is `PASSERELLE_TEST_DATABASE_URL`, else a temporary
//! cluster of the local server binaries, one for the whole process; each test has a schema of its
//! own in it. Where there is neither, the PostgreSQL half says so loudly and is skipped, which
//! fails when `CI=true`.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use passerelle::db::Db;
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// Writes each test twice: `name::sqlite` and `name::postgres`.
#[macro_export]
macro_rules! on_both_databases {
    ($($(#[$doc:meta])* async fn $name:ident($database:ident: TestDatabase) $body:block)*) => {$(
        $(#[$doc])*
        async fn $name($database: $crate::support::TestDatabase) $body

        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$name($crate::support::TestDatabase::sqlite()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let Some(database) = $crate::support::TestDatabase::postgres().await else { return };
                let end = database.end();
                super::$name(database).await;
                end.await;
            }
        }
    )*};
}

/// An empty database of one test's own.
pub(crate) struct TestDatabase {
    pub(crate) url: String,
    schema: Option<(String, String)>,
    _folder: Option<TempDir>,
}

impl TestDatabase {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite:{}", folder.path().join("test.sqlite").display());
        Self { url, schema: None, _folder: Some(folder) }
    }

    /// `None`: there is no PostgreSQL here, which was said.
    pub(crate) async fn postgres() -> Option<Self> {
        let server = server().await?;
        let schema = format!("test_{}", passerelle::ids::label());
        execute(server, format!("CREATE SCHEMA {schema}")).await;
        let separator = if server.contains('?') { '&' } else { '?' };
        let url = format!("{server}{separator}options=-c%20search_path%3D{schema}");
        Some(Self { url, schema: Some((server.to_owned(), schema)), _folder: None })
    }

    /// Removes what the test left, once it is through. A test that fails leaves its schema to be
    /// looked at.
    pub(crate) fn end(&self) -> impl Future<Output = ()> + use<> {
        let schema = self.schema.clone();
        async move {
            if let Some((server, schema)) = schema {
                execute(&server, format!("DROP SCHEMA {schema} CASCADE")).await;
            }
        }
    }
}

async fn execute(server: &str, sql: String) {
    let db = Db::connect(server).await.expect("the test server answers");
    let mut tx = db.write().await.expect("a transaction");
    tx.query_built(sql).execute().await.expect("the schema changes");
    tx.commit().await.expect("the commit");
    db.close().await;
}

/// The address of a server to make schemas in, the same for all tests of the process.
async fn server() -> Option<&'static str> {
    static SERVER: OnceCell<Option<(String, Option<Cluster>)>> = OnceCell::const_new();
    let server = SERVER
        .get_or_init(|| async {
            if let Ok(url) = std::env::var("PASSERELLE_TEST_DATABASE_URL") {
                return Some((url, None));
            }
            match Cluster::start().await {
                Ok((url, cluster)) => Some((url, Some(cluster))),
                Err(reason) => {
                    let all = "the PostgreSQL half of the tests";
                    assert!(std::env::var("CI").as_deref() != Ok("true"), "{all}: {reason}");
                    eprintln!("SKIPPED: {all}: {reason}");
                    None
                }
            }
        })
        .await;
    server.as_ref().map(|(url, _)| url.as_str())
}

/// A temporary cluster. The shell that runs it holds our pipe: when this process ends, however it
/// ends, the shell stops the server and removes its folder.
struct Cluster(Child);

const SCRIPT: &str = r#"
trap '' INT
folder=$(mktemp -d) || exit 1
"$BIN/initdb" -D "$folder/data" -A trust -U postgres -E UTF8 --locale=C -N >"$folder/initdb" 2>&1 || exit 1
"$BIN/postgres" -D "$folder/data" -p "$PORT" -k "$folder" -c listen_addresses=127.0.0.1 \
    -c fsync=off -c max_connections=500 -c shared_buffers=64MB >"$folder/log" 2>&1 &
server=$!
read -r _
kill -INT $server
wait $server
rm -rf "$folder"
"#;

impl Cluster {
    async fn start() -> Result<(String, Self), String> {
        let binaries = binaries().ok_or("there is no /usr/lib/postgresql/*/bin/initdb")?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|listener| listener.local_addr())
            .map_err(|error| error.to_string())?
            .port();
        let script = format!("BIN='{}' PORT={port}\n{SCRIPT}", binaries.display());
        // The server refuses to run as root.
        let is_root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n");
        let mut command = if is_root {
            let mut command = Command::new("su");
            command.args(["postgres", "-s", "/bin/sh", "-c", &script]);
            command
        } else {
            let mut command = Command::new("sh");
            command.args(["-c", &script]);
            command
        };
        let child = command
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| error.to_string())?;
        let mut cluster = Self(child);
        let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        for _ in 0..300 {
            if let Ok(db) = Db::connect(&url).await {
                db.close().await;
                return Ok((url, cluster));
            }
            if let Ok(Some(status)) = cluster.0.try_wait() {
                return Err(format!("the local server ended with {status}"));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err("the local server does not answer".to_owned())
    }
}

/// The newest installed version's.
fn binaries() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    versions
        .filter_map(Result::ok)
        .map(|version| version.path().join("bin"))
        .filter(|bin| bin.join("initdb").exists())
        .max()
}
