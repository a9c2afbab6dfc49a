//! What the ends of sessions deliver: once, in order, and no more than they may.

use tasuki_protocol::ledger::wire::{EndRow, MAX_END_BYTES, MAX_END_NUMBER};

use super::*;

/// F2, T43: an end's records are taken once and in order, however often they come.
#[tokio::test]
async fn an_ends_records_are_taken_once_and_in_order() {
    let desk = start().await;
    let session = SessionId([7; 16]);
    let row = |number: u64| {
        let at = (session, Role::Agent, number);
        let seed = Seed::from_bytes([u8::try_from(number).unwrap(); 32]);
        let to = [log_key().public()];
        EndRow { number, sealed: seal_at_end(&chat("x"), at, &to, TENANT, &seed).unwrap() }
    };
    let send = |numbers: &[u64]| {
        let rows = numbers.iter().map(|number| row(*number)).collect();
        desk.ledger.ask(Work::End { session, role: Role::Agent, rows })
    };
    assert_eq!(send(&[5]).await, Ok(0), "its beginning is missing");
    assert_eq!(send(&[0, 1]).await, Ok(2));
    assert_eq!(send(&[0, 1, 2]).await, Ok(3));
    assert_eq!(send(&[5]).await, Ok(3), "a gap is not taken");
    let folder = desk.stop().await;
    assert_eq!(audit(&folder, &[]).await.unwrap().size, 3);
}

/// F21: what an end has delivered it has no more, and a server whose database is of before lacks it: nothing else of the
/// session is lost by that, and the numbers show what is. No session that began afterwards may keep back its beginning.
#[tokio::test]
async fn f21_after_a_restore_an_end_goes_on_behind_what_was_lost_once_and_in_order() {
    let desk = start().await;
    let [unknown, known, silent, fresh, late] = [7, 8, 9, 10, 11].map(|n| SessionId([n; 16]));
    let opened = |ledger: Ledger, session: SessionId| async move {
        let locator = Locator::try_from(u32::from(session.0[0])).unwrap();
        let row = Row::Opened { session, locator, until: clock::unix() };
        ledger.ask(Work::Row(row, None)).await.unwrap();
    };
    let send = |ledger: Ledger, session: SessionId, numbers: &[u64]| {
        let row = |number: &u64| {
            let at = (session, Role::Agent, *number);
            let seed = Seed::from_bytes([u8::try_from(*number).unwrap_or(9); 32]);
            let sealed = seal_at_end(&chat("x"), at, &[log_key().public()], TENANT, &seed).unwrap();
            EndRow { number: *number, sealed }
        };
        let rows = numbers.iter().map(row).collect();
        async move { ledger.ask(Work::End { session, role: Role::Agent, rows }).await }
    };
    let ledger = || desk.ledger.clone();
    opened(ledger(), known).await;
    opened(ledger(), silent).await;
    assert_eq!(send(ledger(), unknown, &[5, 6]).await, Ok(0), "nothing was restored");
    assert_eq!(send(ledger(), known, &[0, 1]).await, Ok(2));
    assert_eq!(send(ledger(), known, &[4]).await, Ok(2), "nothing was restored");
    let folder = desk.stop().await;
    Store::revive(&folder.path().join("tasuki.db"), 0).await.unwrap();
    let desk = begin(folder).await;
    let ledger = || desk.ledger.clone();
    opened(ledger(), fresh).await;
    assert_eq!(send(ledger(), fresh, &[5]).await, Ok(0), "it began after the restore");
    assert_eq!(send(ledger(), fresh, &[0]).await, Ok(1));
    // An end that only asks for a checkpoint is none that has begun.
    assert_eq!(send(ledger(), unknown, &[]).await, Ok(0));
    assert_eq!(send(ledger(), unknown, &[5, 6]).await, Ok(7));
    assert_eq!(send(ledger(), unknown, &[9]).await, Ok(7), "a later gap is not taken");
    assert_eq!(send(ledger(), silent, &[2]).await, Ok(3), "the backup had none of it yet");
    assert_eq!(send(ledger(), known, &[1]).await, Ok(2), "it is here");
    assert_eq!(send(ledger(), known, &[MAX_END_NUMBER]).await, Ok(2), "no session has so many");
    assert_eq!(send(ledger(), known, &[4]).await, Ok(5));
    assert_eq!(send(ledger(), known, &[7]).await, Ok(5));
    run(&desk.folder, &["UPDATE restores SET at = at - 24 * 3600"]).await;
    assert_eq!(send(ledger(), late, &[5]).await, Ok(0), "nobody of before comes so late");
    let folder = desk.stop().await;
    assert_eq!(audit(&folder, &[]).await.unwrap().size, 7);
}

/// T59: a ticket is no right to a disk. What was delivered before counts, also after a restart.
#[tokio::test]
async fn t59_an_end_delivers_no_more_bytes_than_its_session_may() {
    let desk = start().await;
    let (session, role) = (SessionId([7; 16]), Role::Operator);
    let row = |number: u64| {
        let to = [log_key().public()];
        let seed = Seed::from_bytes([u8::try_from(number).unwrap(); 32]);
        let line = chat(&"x".repeat(4000));
        EndRow {
            number,
            sealed: seal_at_end(&line, (session, role, number), &to, TENANT, &seed).unwrap(),
        }
    };
    let send = |ledger: Ledger, rows: Vec<EndRow>| async move {
        ledger.ask(Work::End { session, role, rows }).await
    };
    let each = row(0).bytes();
    assert!(each > 4000, "what a row takes is {each}");
    assert_eq!(send(desk.ledger.clone(), vec![row(0)]).await, Ok(1));
    let folder = desk.stop().await;
    let pool = pool(&folder).await;
    let counted: i64 =
        sqlx::query_scalar("SELECT bytes FROM ledger_ends").fetch_one(&pool).await.unwrap();
    assert_eq!(counted, number(each));
    // As if it had delivered all but two of what it may.
    let nearly = number(MAX_END_BYTES - 2 * each);
    sqlx::query("UPDATE ledger_ends SET bytes = ?").bind(nearly).execute(&pool).await.unwrap();
    pool.close().await;
    let desk = begin(folder).await;
    let rows = (1..6).map(row).collect();
    assert_eq!(send(desk.ledger.clone(), rows).await, Ok(3), "more than two were taken");
    assert_eq!(send(desk.ledger.clone(), vec![row(3)]).await, Ok(3));
    let folder = desk.stop().await;
    assert_eq!(audit(&folder, &[]).await.unwrap().size, 3);
}
