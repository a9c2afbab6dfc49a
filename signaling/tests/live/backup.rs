//! Backups: whole while the server works, refused when damaged or foreign, and silent to a thief.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;
use tasuki_protocol::admin::{
    ChangeGroup, GROUPS_PATH, GroupChange, LimitOperator, Limits, OPERATOR_LIMITS_PATH,
};
use tasuki_protocol::rights::Mode;

use crate::client::{PASSWORD, World};

fn program(verb: &str, data: &Path, file: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tasuki-server"));
    command.args([verb, "--data"]).arg(data).arg(file).stdin(Stdio::null());
    command.env("LC_ALL", "C").output().unwrap()
}

#[track_caller]
fn done(output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[track_caller]
fn refused(output: &Output, code: i32) {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), said.lines().count()), (Some(code), 1), "{said}");
}

#[tokio::test]
async fn a_backup_of_a_working_server_comes_back_whole_and_signs_everybody_out() {
    let mut world = World::start().await;
    let operator = world.operator("hanako").await;
    let file = world.folder.path().join("one.backup");
    let (data, out) = (world.data(), file.clone());
    let making = tokio::task::spawn_blocking(move || program("backup", &data, &out));
    while !making.is_finished() {
        world.login("hanako", PASSWORD, &operator.device, None).await.signed_in();
    }
    done(&making.await.unwrap());
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "others could read it");
    refused(&program("backup", &world.data(), &file), 13);
    refused(&program("restore", &world.data(), &file), 6);
    for end in ["copy", "new"] {
        let (second, theirs) = (file.with_file_name("two"), file.with_file_name(format!("two.{end}")));
        std::fs::write(&theirs, "somebody's").unwrap();
        refused(&program("backup", &world.data(), &second), 13);
        assert_eq!(std::fs::read_to_string(&theirs).unwrap(), "somebody's", "{end}");
        std::fs::remove_file(&theirs).unwrap();
    }
    let left = std::fs::read_dir(world.folder.path()).unwrap().count();
    assert_eq!(left, 2, "beside the folder and the backup something was left");
    world.add_operator("taro", &[Mode::View]).await;
    world.stop().await;
    refused(&program("restore", &world.data(), &file), 13);
    move_database_away(&world);
    done(&program("restore", &world.data(), &file));
    refused(&program("restore", &world.data(), &file), 13);
    world.run().await;
    let again = world.login("hanako", PASSWORD, &operator.device, None).await.signed_in();
    world.operator_socket(&again.token, &operator.device).await;
    let listed = world.admin_get(tasuki_protocol::admin::OPERATORS_PATH).await;
    assert_eq!(listed.status, 401, "an administrator's session of then revived");
    let taro = SigningKey::from_bytes(&[9; 32]);
    assert_eq!(world.login("taro", PASSWORD, &taro, None).await.status, 401, "he came afterwards");
}

fn move_database_away(world: &World) {
    let away = world.folder.path().join("away");
    std::fs::create_dir_all(&away).unwrap();
    for name in ["tasuki.db", "tasuki.db-wal", "tasuki.db-shm"] {
        std::fs::rename(world.data().join(name), away.join(name)).ok();
    }
}

#[tokio::test]
async fn a_damaged_cut_longer_or_foreign_backup_is_refused_and_changes_nothing() {
    let mut world = World::start().await;
    world.stop().await;
    let other = World::start().await;
    let folder = world.folder.path().to_owned();
    let (file, foreign) = (folder.join("good"), folder.join("foreign"));
    done(&program("backup", &world.data(), &file));
    done(&program("backup", &other.data(), &foreign));
    let good = std::fs::read(&file).unwrap();
    move_database_away(&world);
    let bad = folder.join("bad");
    let flipped = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    let places = [0, 40, good.len() / 2, good.len() - 1];
    let mut spoilt: Vec<Vec<u8>> = places.into_iter().map(flipped).collect();
    spoilt.extend([good[..good.len() - 1].to_vec(), good[..100].to_vec(), Vec::new()]);
    spoilt.push([good.as_slice(), b"x"].concat());
    for bytes in spoilt {
        std::fs::write(&bad, bytes).unwrap();
        refused(&program("restore", &world.data(), &bad), 14);
    }
    refused(&program("restore", &world.data(), &foreign), 15);
    refused(&program("restore", &world.data(), &folder.join("nowhere")), 11);
    let no_keys = folder.join("no keys");
    std::fs::create_dir(&no_keys).unwrap();
    refused(&program("restore", &no_keys, &file), 3);
    for entry in std::fs::read_dir(world.data()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(!name.contains(".db"), "{name} was left");
    }
    done(&program("restore", &world.data(), &file));
    world.run().await;
}

/// Everything under which a text can be found again.
fn encodings(canary: &str) -> Vec<Vec<u8>> {
    let utf16 = |big: bool| -> Vec<u8> {
        let order = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
        canary.encode_utf16().flat_map(order).collect()
    };
    let hex: String = canary.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut all = vec![canary.as_bytes().to_vec(), utf16(true), utf16(false)];
    all.extend([hex.to_uppercase().into_bytes(), hex.into_bytes()]);
    for pad in 0..3 {
        // Without the characters that mix with their neighbours.
        let text = STANDARD.encode([vec![b' '; pad], canary.as_bytes().to_vec()].concat());
        let middle = text.as_bytes()[4..text.len() - 4].to_vec();
        all.push(middle.iter().map(|b| if *b == b'+' { b'-' } else { *b }).collect());
        // A document inside a document.
        let twice = STANDARD.encode(&middle);
        all.push(twice.as_bytes()[4..twice.len() - 4].to_vec());
        all.push(middle);
    }
    // What is shorter stands in any bytes by chance.
    all.retain(|needle| needle.len() >= 8);
    all
}

/// S48, T62: who takes database, journal and backup, and no key file, learns nobody's name,
/// group, address or password.
#[tokio::test]
async fn t62_s48_a_stolen_database_and_backup_reveal_no_canary_in_any_encoding() {
    let world = World::start().await;
    let name = "canary-hanako-yamada";
    let operator = world.operator(name).await;
    let group = |change| ChangeGroup { group: "canary-group-desk".to_owned(), change };
    assert_eq!(world.admin_post(GROUPS_PATH, &group(GroupChange::Add)).await.status, 204);
    let join = group(GroupChange::Join { operator: name.to_owned() });
    assert_eq!(world.admin_post(GROUPS_PATH, &join).await.status, 204);
    world.login(name, PASSWORD, &operator.device, None).await.signed_in();
    let limits = Limits { addresses: vec!["192.0.2.77/32".to_owned()], ..Limits::default() };
    let order = LimitOperator { operator: name.to_owned(), limits };
    assert_eq!(world.admin_post(OPERATOR_LIMITS_PATH, &order).await.status, 204);
    let backup = world.folder.path().join("stolen");
    done(&program("backup", &world.data(), &backup));
    let stolen = ["tasuki.db", "tasuki.db-wal", "tasuki.db-shm"].map(|name| world.data().join(name));
    for file in stolen.into_iter().chain([backup]) {
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.is_empty(), "{}", file.display());
        for canary in [name, "canary-group-desk", "192.0.2.77", "127.0.0.1", PASSWORD] {
            for needle in encodings(canary) {
                let found = bytes.windows(needle.len()).any(|window| window == needle);
                let text = String::from_utf8_lossy(&needle).into_owned();
                assert!(!found, "{} shows {canary} as {text:?}", file.display());
            }
        }
    }
}
