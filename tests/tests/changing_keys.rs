//! Keys that are changed while the line breaks, and devices that are revoked after a key was dropped: no key
//! that signs is ever one that nobody holds (T17, T69).

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    sync::{Arc, Mutex},
    thread,
};

use tasuki_protocol::bundle::Bundle;
use tasuki_tests::running::{Mark, program};
use tasuki_tests::stack::{House, Site, free_port};

/// Longer than what an administrator says who only asks, shorter than a bundle with its keys.
const LONG: usize = 4000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loses {
    Nothing,
    /// The line breaks while something long is under way to the server.
    Order,
    /// The server has taken it, and nobody hears so.
    Answer,
}

/// Between everybody and the server.
#[derive(Clone)]
struct Line(Arc<Mutex<Loses>>);

impl Line {
    /// A house whose server is reached through it.
    fn house() -> (Self, House) {
        let (line, site) = Self::site();
        (line, House::set_up_at(site).expect("a house"))
    }

    fn site() -> (Self, Site) {
        let line = Self(Arc::new(Mutex::new(Loses::Nothing)));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port().expect("a port")));
        let carrying = line.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (line, server) = (carrying.clone(), TcpStream::connect(listen));
                let Ok(server) = server else { continue };
                thread::spawn(move || line.carry(client, server));
            }
        });
        let site = Site { host: "127.0.0.1".to_owned(), listen, port, inside: Vec::new() };
        (line, site)
    }

    fn lose(&self, what: Loses) {
        *self.0.lock().expect("the line") = what;
    }

    fn carry(&self, mut client: TcpStream, mut server: TcpStream) {
        let silent = Arc::new(AtomicBool::new(false));
        let (mut from, mut to) =
            (server.try_clone().expect("two ways"), client.try_clone().expect("two"));
        let is_silent = Arc::clone(&silent);
        let back = thread::spawn(move || {
            let mut bytes = [0; 16 * 1024];
            while let Ok(length @ 1..) = from.read(&mut bytes) {
                if !is_silent.load(Ordering::SeqCst) && to.write_all(&bytes[..length]).is_err() {
                    break;
                }
            }
            to.shutdown(Shutdown::Both).ok();
        });
        let (mut said, mut bytes) = (0, [0; 16 * 1024]);
        while let Ok(length @ 1..) = client.read(&mut bytes) {
            said += length;
            match *self.0.lock().expect("the line") {
                Loses::Order if said > LONG => break,
                Loses::Answer if said > LONG => silent.store(true, Ordering::SeqCst),
                Loses::Nothing | Loses::Order | Loses::Answer => {}
            }
            if server.write_all(&bytes[..length]).is_err() {
                break;
            }
        }
        server.shutdown(Shutdown::Write).ok();
        client.shutdown(Shutdown::Read).ok();
        if *self.0.lock().expect("the line") == Loses::Order {
            client.shutdown(Shutdown::Both).ok();
        }
        back.join().expect("the way back");
    }
}

fn bundle(house: &House) -> Bundle {
    let bundle = fs::read(house.bundle()).expect("read");
    Bundle::open_first(&bundle).expect("a bundle")
}

/// How many vaults wait to be the one in use.
fn pending(house: &House) -> usize {
    let folder = fs::read_dir(house.folder().join("admin")).expect("a folder");
    let names = folder.map(|entry| entry.expect("a name").file_name());
    names.filter(|name| name.to_string_lossy().ends_with(".pending")).count()
}

/// What the administrator's program ends with and shows a person, with `typed` to read.
fn shown(house: &House, arguments: &[&str], typed: &str) -> (Option<i32>, String) {
    let lines = house.folder().join("typed");
    fs::write(&lines, typed).expect("written");
    let mut command = Command::new(program("tasuki-admin").expect("the program"));
    command.arg("--profile").arg(house.folder().join("admin")).args(arguments).env("LC_ALL", "C");
    command.stdin(Stdio::from(fs::File::open(lines).expect("lines")));
    let output = command.output().expect("it runs");
    let both = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&both).into_owned())
}

/// The line behind the one that has `words` in it.
fn below<'a>(said: &'a str, words: &str) -> &'a str {
    let mut lines = said.lines().skip_while(|line| !line.contains(words));
    lines.nth(1).unwrap_or_else(|| panic!("no {words:?} in {said}")).trim()
}

/// T69: the old root stays the one that signs, here as at the server.
#[test]
fn t69_a_new_root_that_never_reached_the_server_costs_the_old_one_nothing() {
    let (line, house) = Line::house();
    let first = bundle(&house);
    line.lose(Loses::Order);
    for kind in [&["root"] as &[&str], &["lock"], &["root"]] {
        let lost = house.administrate(&[&["key", "rotate", "--yes"], kind].concat());
        let said = format!("{:#}", lost.expect_err("nothing was answered"));
        assert!(said.contains("is not known"), "{said}");
    }
    line.lose(Loses::Nothing);
    house.administrate(&["key", "renew"]).expect("the old root signs");
    assert_eq!(bundle(&house).root, first.root);
    house.administrate(&["key", "rotate", "root", "--yes"]).expect("another try");
    house.administrate(&["key", "renew"]).expect("the new root signs");
    assert_ne!(bundle(&house).root, first.root);
}

/// T69: and where it did, the next command knows it.
#[test]
fn t69_a_new_root_that_the_server_took_unheard_is_the_one_that_signs_from_then_on() {
    let (line, house) = Line::house();
    let first = bundle(&house);
    line.lose(Loses::Answer);
    let lost = house.administrate(&["key", "rotate", "root", "--yes"]);
    let said = format!("{:#}", lost.expect_err("nothing was answered"));
    assert!(said.contains("is not known"), "{said}");
    line.lose(Loses::Nothing);
    assert_eq!(bundle(&house).root, first.root, "nobody has heard of it");
    house.administrate(&["key", "renew"]).expect("the new root signs");
    let renewed = bundle(&house);
    assert!(renewed.root != first.root && renewed.version == first.version + 2, "{renewed:?}");
    assert_eq!(pending(&house), 0, "what is settled is cleared away");
}

/// T17: the list from before is under a key that nobody heeds any more, and the next one goes on from it.
#[test]
fn t17_a_device_can_be_revoked_after_the_lock_key_was_dropped_that_signed_the_list() {
    let house = House::set_up().expect("a house");
    let revoke = || house.administrate(&["device", "revoke", "hanako", "--yes"]);
    revoke().expect("the first device is out");
    house.administrate(&["key", "rotate", "lock", "--drop-old", "--yes"]).expect("a new lock key");
    new_device(&house, "second");
    revoke().expect("the second device is out, too");
    assert_eq!(revoked(&house), 2);
}

/// Asks with a code, and waits.
fn new_device(house: &House, profile: &str) {
    let code = house.administrate(&["operator", "code", "hanako"]).expect("a code");
    let code = code["enrolment"].as_str().expect("a code");
    let typed = house.folder().join("typed");
    fs::write(&typed, format!("{}\n{code}\n", house.secrets()[1])).expect("written");
    let mut login = Command::new(program("tasuki").expect("the program"));
    login.args(["login", "--tenant"]).arg(house.bundle()).arg("--profile");
    login.arg(house.folder().join(profile)).args(["--operator", "hanako", "--password-stdin"]);
    login
        .args(["--enrolment-stdin", "--json"])
        .stdin(Stdio::from(fs::File::open(typed).expect("lines")));
    let asked = login.output().expect("it runs");
    let asked = String::from_utf8_lossy(&asked.stdout).into_owned();
    assert!(asked.contains("device_pending"), "{asked}");
}

fn revoked(house: &House) -> usize {
    let list = house.administrate(&["device", "list"]).expect("a list");
    let devices = list["devices"].as_array().expect("devices");
    devices.iter().filter(|device| device["state"] == "revoked").count()
}

/// Puts files of the server's folder back as they were, while it does not run.
struct Before(Vec<(PathBuf, Option<Vec<u8>>)>);

impl Before {
    fn of(house: &House, names: &[&str]) -> Self {
        let files = names.iter().map(|name| house.folder().join("server").join(name));
        Self(files.map(|file| (file.clone(), fs::read(file).ok())).collect())
    }

    fn put_back(&self, house: &mut House) {
        house.server.kill();
        for (file, bytes) in &self.0 {
            match bytes {
                Some(bytes) => fs::write(file, bytes).expect("written"),
                None => drop(fs::remove_file(file)),
            }
        }
        house.restart_server().expect("it starts");
    }
}

/// T14, T17: a server at an older database, or one that withholds a list, takes no revocation back: the next
/// list has those that this computer has seen.
#[test]
fn t17_a_list_goes_on_from_what_was_seen_whatever_the_server_shows() {
    let mut house = House::set_up().expect("a house");
    house.server.kill();
    let before = Before::of(&house, &["tasuki.db", "tasuki.db-wal", "tasuki.db-shm"]);
    house.restart_server().expect("it starts");
    house.administrate(&["device", "revoke", "hanako", "--yes"]).expect("the first device is out");
    assert_eq!(revoked(&house), 1);
    before.put_back(&mut house);
    // The bundle that asked for the list is gone with it: everybody sees that, and the way back is one command.
    let (code, said) = shown(&house, &["device", "list"], "");
    assert!(code != Some(0) && said.contains("key republish"), "{code:?} {said}");
    let passphrase = house.secrets()[0].to_owned();
    let (code, said) = shown(&house, &["key", "republish", "--yes"], &format!("{passphrase}\n"));
    assert_eq!((code, revoked(&house)), (Some(0), 1), "it brings the list back: {said}");
    let (code, said) = shown(&house, &["key", "republish", "--yes"], &format!("{passphrase}\n"));
    assert!(code != Some(0), "once is enough: {said}");
    new_device(&house, "second");
    let list = house.administrate(&["device", "list"]).expect("a list");
    let devices = list["devices"].as_array().expect("devices");
    let second = devices.iter().find(|device| device["state"] == "pending").expect("it waits");
    let second = second["device"].as_str().expect("a key");
    house
        .administrate(&["device", "revoke", "hanako", "--device", second, "--yes"])
        .expect("the second device is out");
    assert_eq!(revoked(&house), 2);
}

/// T14, T17: a computer that has seen no list takes the server's word for none: who knows better signs nothing there.
#[test]
fn t14_t17_a_server_that_hides_a_list_from_a_new_computer_has_nothing_taken_back_there() {
    let mut house = House::set_up().expect("a house");
    house.server.kill();
    let before = Before::of(&house, &["tasuki.db", "tasuki.db-wal", "tasuki.db-shm"]);
    let bundle = fs::read(house.bundle()).expect("kept");
    house.restart_server().expect("it starts");
    house.administrate(&["device", "revoke", "hanako", "--yes"]).expect("the first device is out");
    let first = house.administrate(&["device", "list"]).expect("a list");
    assert_eq!(first["known_revoked"], 1);
    before.put_back(&mut house);
    // Nor has this computer seen the bundle that asks for the list.
    fs::write(house.bundle(), bundle).expect("written");
    new_device(&house, "second");
    // The words of the revoked one, which the server says is to be certified anew.
    let out = first["devices"][0]["device"].as_str().expect("a device");
    let words = tasuki_protocol::words::fingerprint(&out.parse().expect("a key"));
    let again = ["device", "approve", "hanako", "--renew", "--words", &words];
    let (code, said) = shown(&house, &again, &format!("{}\n", house.secrets()[0]));
    assert!(code == Some(7) && said.contains("was revoked, and stays so"), "{code:?} {said}");
    let second = first["devices"][0]["device"].as_str().expect("a key");
    let list = house.administrate(&["device", "list"]).expect("a list");
    let devices = list["devices"].as_array().expect("devices");
    let second =
        devices.iter().filter_map(|device| device["device"].as_str()).find(|key| *key != second);
    let revoke = ["device", "revoke", "hanako", "--yes", "--device", second.expect("it waits")];
    // A computer with all keys that has never seen a list.
    let seen = house.folder().join("admin").join("revoked.json");
    let kept = fs::read(&seen).expect("kept");
    fs::remove_file(&seen).expect("removed");
    let passphrase = house.secrets()[0].to_owned();
    let (code, said) = shown(&house, &revoke, &format!("1\n{passphrase}\n"));
    assert!(code == Some(7) && said.contains("Nothing was signed"), "{code:?} {said}");
    assert_eq!(revoked(&house), 0, "no list was made");
    // As on the computer that has revoked before: both are out, and nobody is asked.
    fs::write(&seen, &kept).expect("written");
    let (code, said) = shown(&house, &revoke, &format!("{passphrase}\n"));
    assert_eq!((code, revoked(&house)), (Some(0), 2), "{said}");
    // And on a third, which sees that list and whose administrator knows of both.
    fs::remove_file(&seen).expect("removed");
    new_device(&house, "third");
    let (code, said) =
        shown(&house, &["device", "revoke", "hanako", "--yes"], &format!("2\n{passphrase}\n"));
    assert_eq!((code, revoked(&house)), (Some(0), 3), "{said}");
}

/// T17: an operator who is removed leaves no device behind that agents would take until its certificate ends.
#[test]
fn t17_an_operator_who_is_removed_takes_his_devices_certificates_with_him() {
    let house = House::set_up().expect("a house");
    let list = house.administrate(&["device", "list"]).expect("a list");
    let device = list["devices"][0]["device"].as_str().expect("a key").to_owned();
    house.administrate(&["operator", "remove", "hanako", "--yes"]).expect("he goes");
    let kept = fs::read_to_string(house.folder().join("admin").join("revoked.json")).expect("kept");
    assert!(kept.contains(&device), "{kept}");
    let news = house.administrate(&["operator", "list"]).expect("a list");
    assert_eq!(news["operators"].as_array().map(Vec::len), Some(0), "{news}");
}

/// F21: after older copies of the server's own keys came back from a backup of them, the bundle names those
/// second, and the way on is a new pair.
#[test]
fn f21_older_manifest_keys_that_were_put_back_are_rotated_on_from() {
    let mut house = House::set_up().expect("a house");
    let before = Before::of(&house, &["manifest.key", "checkpoint.key"]);
    house.administrate(&["key", "rotate", "manifest"]).expect("new keys");
    before.put_back(&mut house);
    house
        .server
        .wait_for(Mark::default(), "until `tasuki-admin key rotate manifest`")
        .expect("it says so");
    house.administrate(&["key", "rotate", "manifest"]).expect("keys that the server has");
    house.administrate(&["key", "renew"]).expect("and every other change goes on");
}

/// T69: the first keys of all, whose answer nobody heard, are not under a passphrase that nobody saw.
#[test]
fn t69_keys_whose_making_was_not_heard_of_are_shown_all_the_same_and_taken_up_again() {
    let (line, site) = Line::site();
    let server = format!("https://{}:{}", site.host, site.port);
    let (house, [token, fingerprint]) = House::begin_at(site).expect("a server");
    let [_, _, password] = house.secrets();
    line.lose(Loses::Answer);
    let init = ["--server", &server, "init", "--fingerprint", &fingerprint];
    let (code, said) = shown(&house, &init, &format!("{token}\n{password}\n"));
    assert!(code == Some(4) && said.contains("Whether the server has taken these keys"), "{said}");
    let passphrase = below(&said, "Passphrase of the keys").to_owned();
    let shares = said.lines().skip_while(|line| !line.contains("Recovery shares")).skip(1);
    let share: Vec<String> = shares.take(7).map(|line| line.trim().to_owned()).collect();
    line.lose(Loses::Nothing);
    let (code, said) = shown(&house, &["init"], "");
    assert!(code == Some(0) && said.contains("shown then"), "{code:?} {said}");
    let (code, said) = shown(&house, &["key", "renew"], &format!("{passphrase}\n"));
    assert_eq!(code, Some(0), "{said}");
    assert_eq!((bundle(&house).version, pending(&house)), (2, 0));
    assert!(share[0] == "1:" && share[6].starts_with("21 "), "{share:?}");
    let (code, said) = shown(&house, &["init"], "");
    assert!(code == Some(7) && said.contains("has its keys already"), "{code:?} {said}");
}

/// T69: a vault that works is not given up for one whose keys the server may never have had.
#[test]
fn t69_a_recovery_that_the_server_never_heard_of_leaves_the_vault_in_use() {
    let (line, house) = Line::house();
    let [passphrase, ..] = house.secrets();
    let [one, two, _] = house.shares() else { panic!("{:?}", house.shares()) };
    let recover = || shown(&house, &["init", "--recover"], &format!("{one}\n{two}\n"));
    line.lose(Loses::Order);
    let (code, said) = recover();
    assert_eq!(code, Some(4), "{said}");
    line.lose(Loses::Nothing);
    let renew = |passphrase: &str| shown(&house, &["key", "renew"], &format!("{passphrase}\n"));
    let (code, said) = renew(passphrase);
    assert_eq!(code, Some(0), "{said}");
    line.lose(Loses::Answer);
    let (code, said) = recover();
    assert_eq!(code, Some(4), "{said}");
    line.lose(Loses::Nothing);
    let newer = below(&said, "Passphrase of the keys");
    let (code, said) = renew(newer);
    assert!(code == Some(0) && pending(&house) == 0, "{code:?} {said}");
}

/// T69: that a change was refused is the server's word alone, and no reason to throw its key away.
#[test]
fn t69_a_change_that_was_refused_keeps_its_vault_until_another_bundle_is_in_force() {
    let house = House::set_up().expect("a house");
    let [passphrase, _, password] = house.secrets();
    house.administrate(&["logout"]).expect("signed out");
    let refused = format!("{passphrase}\nnine lemons under a tin roof\n");
    let (code, said) = shown(&house, &["key", "rotate", "lock"], &refused);
    assert!(code == Some(6) && !said.contains("is not known"), "{said}");
    assert_eq!(pending(&house), 1);
    let (code, said) = shown(&house, &["key", "renew"], &format!("{passphrase}\n{password}\n"));
    assert_eq!(code, Some(0), "{said}");
    house.administrate(&["key", "list"]).expect("a look at what is in force");
    assert_eq!(pending(&house), 0);
}
