//! One SQL text, two databases.
//!
//! A query is written once, with `$1` placeholders and the SQL that SQLite and PostgreSQL share.
//! Callers see [`Db`], [`Tx`] and [`Query`]; the drivers are matched in this folder and nowhere
//! else. See `docs/decisions/0001-two-databases-one-sql.md`.

mod batch;

use std::str::FromStr as _;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgPool, PgPoolOptions, PgRow};
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteRow, SqliteSynchronous,
};
use sqlx::{Arguments as _, AssertSqlSafe, Encode, Postgres, Sqlite, Transaction, Type};

pub use batch::{Batch, Grouped};

/// How long a unit of work waits for SQLite's one writer. A task that opens a second unit of work
/// while it holds one would wait for itself: it gets an error after this long instead of hanging.
const WRITER_WAIT: Duration = Duration::from_secs(10);

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What the driver says; callers turn the cases they foresee into their own errors.
pub type Error = sqlx::Error;

/// A handle to the database, cheap to clone.
#[derive(Clone, Debug)]
pub enum Db {
    /// SQLite has one writer at a time, so it gets one connection.
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
    Postgres(PgPool),
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the database URL must start with sqlite: or postgres:, this one starts with {0:?}")]
    UnknownScheme(String),
    #[error("the database cannot be opened")]
    Connect(#[from] sqlx::Error),
}

impl Db {
    /// Opens the database that `url` names, by its scheme (`sqlite:` or `postgres:`).
    pub async fn connect(url: &str) -> Result<Self, OpenError> {
        let scheme = url.split_once(':').map_or(url, |(scheme, _)| scheme);
        match scheme {
            "postgres" | "postgresql" => {
                let options = PgConnectOptions::from_str(url)?.application_name("passerelle");
                Ok(Self::Postgres(
                    PgPoolOptions::new()
                        .max_connections(20)
                        .acquire_timeout(WRITER_WAIT)
                        .connect_with(options)
                        .await?,
                ))
            }
            "sqlite" => Ok(Self::open_sqlite(SqliteConnectOptions::from_str(url)?).await?),
            other => Err(OpenError::UnknownScheme(other.to_owned())),
        }
    }

    async fn open_sqlite(options: SqliteConnectOptions) -> Result<Self> {
        let options = options
            .create_if_missing(true)
            .foreign_keys(true)
            .busy_timeout(WRITER_WAIT)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(WRITER_WAIT)
            .connect_with(options.clone())
            .await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(8)
            .acquire_timeout(WRITER_WAIT)
            .connect_with(options.pragma("query_only", "ON"))
            .await?;
        Ok(Self::Sqlite { writer, readers })
    }

    /// Begins a unit of work that may write. Dropped without [`Tx::commit`], it is rolled back.
    pub async fn write(&self) -> Result<Tx> {
        Ok(match self {
            Self::Sqlite { writer, .. } => Tx::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?),
            Self::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }

    /// Begins a unit of work that only reads, from one snapshot.
    pub async fn read(&self) -> Result<Tx> {
        Ok(match self {
            Self::Sqlite { readers, .. } => Tx::Sqlite(readers.begin().await?),
            Self::Postgres(pool) => Tx::Postgres(
                pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY").await?,
            ),
        })
    }

    /// Brings the schema up to date: the common migrations with this database's own, by version.
    pub async fn migrate(&self) -> Result<(), sqlx::migrate::MigrateError> {
        static COMMON: Migrator = sqlx::migrate!("migrations/common");
        static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
        static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

        let merged = |own: &Migrator| {
            let mut all: Vec<_> = COMMON.iter().chain(own.iter()).cloned().collect();
            all.sort_by_key(|migration| migration.version);
            Migrator::with_migrations(all)
        };
        match self {
            Self::Sqlite { writer, .. } => merged(&SQLITE).run(writer).await,
            Self::Postgres(pool) => merged(&POSTGRES).run(pool).await,
        }
    }

    /// What the database calls itself, for `doctor`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sqlite { .. } => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }

    /// Waits for open units of work and closes the connections.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// A unit of work. Every function of a `store.rs` takes one.
pub enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Tx {
    pub fn query(&mut self, sql: &'static str) -> Query<'_> {
        self.build(Sql::Fixed(sql))
    }

    /// The sanctioned pair of texts, for the few statements the two databases do not share.
    pub fn query_pair(&mut self, sqlite: &'static str, postgres: &'static str) -> Query<'_> {
        let sql = if matches!(self, Self::Sqlite(_)) { sqlite } else { postgres };
        self.build(Sql::Fixed(sql))
    }

    /// A text put together by code (filters, lists). Values are bound, never written into it.
    pub fn query_built(&mut self, sql: String) -> Query<'_> {
        self.build(Sql::Built(sql))
    }

    fn build(&mut self, sql: Sql) -> Query<'_> {
        let inner = match self {
            Self::Sqlite(tx) => Inner::Sqlite(&mut *tx, SqliteArguments::default()),
            Self::Postgres(tx) => Inner::Postgres(&mut *tx, PgArguments::default()),
        };
        Query { sql, inner, error: None }
    }

    pub async fn commit(self) -> Result<()> {
        match self {
            Self::Sqlite(tx) => tx.commit().await,
            Self::Postgres(tx) => tx.commit().await,
        }
    }

    /// Takes everything back, at once: dropping does so before the connection's next use.
    pub async fn rollback(self) -> Result<()> {
        match self {
            Self::Sqlite(tx) => tx.rollback().await,
            Self::Postgres(tx) => tx.rollback().await,
        }
    }
}

enum Sql {
    Fixed(&'static str),
    Built(String),
}

/// A statement with its values.
#[must_use = "a query does nothing until it is executed or fetched"]
pub struct Query<'tx> {
    sql: Sql,
    inner: Inner<'tx>,
    error: Option<sqlx::Error>,
}

enum Inner<'tx> {
    Sqlite(&'tx mut sqlx::SqliteConnection, SqliteArguments),
    Postgres(&'tx mut sqlx::PgConnection, PgArguments),
}

/// Runs a query on whichever driver it was built for.
macro_rules! run {
    ($query:expr, $with:path, $method:ident) => {{
        if let Some(error) = $query.error {
            return Err(error);
        }
        match ($query.sql, $query.inner) {
            (Sql::Fixed(sql), Inner::Sqlite(conn, values)) => {
                $with(sql, values).$method(conn).await
            }
            (Sql::Fixed(sql), Inner::Postgres(conn, values)) => {
                $with(sql, values).$method(conn).await
            }
            (Sql::Built(sql), Inner::Sqlite(conn, values)) => {
                $with(AssertSqlSafe(sql), values).persistent(false).$method(conn).await
            }
            (Sql::Built(sql), Inner::Postgres(conn, values)) => {
                $with(AssertSqlSafe(sql), values).persistent(false).$method(conn).await
            }
        }
    }};
}

impl Query<'_> {
    pub fn bind(mut self, value: impl Value) -> Self {
        let added = match &mut self.inner {
            Inner::Sqlite(_, values) => values.add(value),
            Inner::Postgres(_, values) => values.add(value),
        };
        if let Err(error) = added {
            self.error.get_or_insert(sqlx::Error::Encode(error));
        }
        self
    }

    /// The one row; an error when there is none.
    pub async fn one<T: Row>(self) -> Result<T> {
        run!(self, sqlx::query_as_with, fetch_one)
    }

    pub async fn optional<T: Row>(self) -> Result<Option<T>> {
        run!(self, sqlx::query_as_with, fetch_optional)
    }

    pub async fn all<T: Row>(self) -> Result<Vec<T>> {
        run!(self, sqlx::query_as_with, fetch_all)
    }

    /// The number of rows the statement changed.
    pub async fn execute(self) -> Result<u64> {
        if let Some(error) = self.error {
            return Err(error);
        }
        Ok(match (self.sql, self.inner) {
            (Sql::Fixed(sql), Inner::Sqlite(conn, values)) => {
                sqlx::query_with(sql, values).execute(conn).await?.rows_affected()
            }
            (Sql::Fixed(sql), Inner::Postgres(conn, values)) => {
                sqlx::query_with(sql, values).execute(conn).await?.rows_affected()
            }
            (Sql::Built(sql), Inner::Sqlite(conn, values)) => {
                sqlx::query_with(AssertSqlSafe(sql), values).execute(conn).await?.rows_affected()
            }
            (Sql::Built(sql), Inner::Postgres(conn, values)) => {
                sqlx::query_with(AssertSqlSafe(sql), values).execute(conn).await?.rows_affected()
            }
        })
    }
}

/// A value both drivers can store.
pub trait Value:
    Type<Sqlite> + Type<Postgres> + for<'q> Encode<'q, Sqlite> + for<'q> Encode<'q, Postgres>
{
}
impl<T> Value for T where
    T: Type<Sqlite> + Type<Postgres> + for<'q> Encode<'q, Sqlite> + for<'q> Encode<'q, Postgres>
{
}

/// A struct both drivers can fill: what `#[derive(sqlx::FromRow)]` writes.
pub trait Row:
    Send + Unpin + for<'r> sqlx::FromRow<'r, SqliteRow> + for<'r> sqlx::FromRow<'r, PgRow>
{
}
impl<T> Row for T where
    T: Send + Unpin + for<'r> sqlx::FromRow<'r, SqliteRow> + for<'r> sqlx::FromRow<'r, PgRow>
{
}

/// A word that an enumeration does not know; holds those it knows.
#[derive(Debug, thiserror::Error)]
#[error("expected one of: {}", .0.join(", "))]
pub struct UnknownWord(pub &'static [&'static str]);

/// Declares an enum kept as text, with the same words in SQL, JSON and code.
#[macro_export]
macro_rules! text_enum {
    ($(#[$doc:meta])* $vis:vis enum $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, sqlx::Type)]
        #[sqlx(type_name = "TEXT")]
        $vis enum $name {
            $($(#[$vdoc])* #[serde(rename = $text)] #[sqlx(rename = $text)] $variant),*
        }

        impl $name {
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::db::UnknownWord;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)*
                    _ => Err($crate::db::UnknownWord(&[$($text),*])),
                }
            }
        }
    };
}
