//! The database executor: what was acknowledged is durable, what failed hurts nobody else.

use passerelle::db::{Batch, Db, Error};
use passerelle::metrics::Metrics;

use crate::on_both_databases;
use crate::support::TestDatabase;

async fn open(database: &TestDatabase) -> Db {
    let db = Db::connect(&database.url).await.expect("opens");
    let mut tx = db.write().await.expect("a transaction");
    let sql = "CREATE TABLE notes (number BIGINT PRIMARY KEY)";
    tx.query(sql).execute().await.expect("a table");
    tx.commit().await.expect("the commit");
    db
}

async fn numbers(db: &Db) -> Vec<i64> {
    let mut tx = db.read().await.expect("a transaction");
    let rows: Vec<(i64,)> =
        tx.query("SELECT number FROM notes ORDER BY number").all().await.expect("rows");
    rows.into_iter().map(|(number,)| number).collect()
}

/// One unit of work: 3 is refused after it was written, 5 panics after it was written.
async fn write(batch: Batch, number: i64) -> Result<i64, Error> {
    batch
        .run(move |tx| {
            Box::pin(async move {
                let sql = "INSERT INTO notes (number) VALUES ($1)";
                tx.query(sql).bind(number).execute().await?;
                assert!(number != 5, "as asked");
                if number == 3 { Err(Error::RowNotFound) } else { Ok(number) }
            })
        })
        .await
}

#[tokio::test]
async fn sqlite_syncs_what_it_acknowledges() {
    let database = TestDatabase::sqlite();
    let db = Db::connect(&database.url).await.expect("opens");
    for mut tx in [db.write().await.expect("a writer"), db.read().await.expect("a reader")] {
        let (synchronous,): (i64,) =
            tx.query("PRAGMA synchronous").one().await.expect("the pragma");
        let (journal,): (String,) =
            tx.query("PRAGMA journal_mode").one().await.expect("the pragma");
        let (keys,): (i64,) = tx.query("PRAGMA foreign_keys").one().await.expect("the pragma");
        assert_eq!((synchronous, journal.as_str(), keys), (2, "wal", 1));
    }
}

on_both_databases! {
    async fn a_reader_cannot_write(database: TestDatabase) {
        let db = open(&database).await;
        let mut tx = db.read().await.expect("a transaction");
        let refused = tx.query("INSERT INTO notes (number) VALUES (1)").execute().await;
        assert!(refused.is_err());
        drop(tx);
        assert_eq!(numbers(&db).await, [0; 0]);
    }

    async fn a_unit_of_work_that_is_dropped_is_rolled_back(database: TestDatabase) {
        let db = open(&database).await;
        let mut tx = db.write().await.expect("a transaction");
        tx.query("INSERT INTO notes (number) VALUES (1)").execute().await.expect("written");
        drop(tx);
        assert_eq!(numbers(&db).await, [0; 0]);
    }

    async fn a_reader_sees_one_snapshot(database: TestDatabase) {
        let db = open(&database).await;
        let mut reader = db.read().await.expect("a transaction");
        let count = "SELECT COUNT(*) FROM notes";
        let (before,): (i64,) = reader.query(count).one().await.expect("a count");
        let mut tx = db.write().await.expect("a transaction");
        tx.query("INSERT INTO notes (number) VALUES (1)").execute().await.expect("written");
        tx.commit().await.expect("the commit");
        let (after,): (i64,) = reader.query(count).one().await.expect("a count");
        assert_eq!((before, after), (0, 0));
        assert_eq!(numbers(&db).await, [1]);
    }

    async fn one_bad_unit_of_work_does_not_hurt_the_others(database: TestDatabase) {
        let db = open(&database).await;
        let batch = Batch::start(&db, Metrics::new());
        let units = (0..20).map(|number| tokio::spawn(write(batch.clone(), number)));
        let outcomes = futures::future::join_all(units).await;
        for (number, outcome) in (0..).zip(outcomes) {
            // Where there is no group the panic is the caller's own.
            let done = outcome.is_ok_and(|outcome| outcome.is_ok());
            assert_eq!(done, number != 3 && number != 5, "{number}");
        }
        let expected: Vec<i64> = (0..20).filter(|number| *number != 3 && *number != 5).collect();
        assert_eq!(numbers(&db).await, expected);
        assert_eq!(write(batch.clone(), 21).await.expect("the batch lives"), 21);
        // A statement that the database refuses is one caller's trouble too.
        assert!(write(batch.clone(), 21).await.is_err());
        assert_eq!(write(batch, 22).await.expect("the batch lives"), 22);
    }

    async fn the_schema_is_brought_up_to_date_twice_without_harm(database: TestDatabase) {
        let db = Db::connect(&database.url).await.expect("opens");
        db.migrate().await.expect("a schema");
        db.migrate().await.expect("the same schema");
    }
}
