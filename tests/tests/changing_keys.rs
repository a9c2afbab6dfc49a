//! Keys that are changed while the line breaks, and devices that are revoked after a key was dropped: no key
//! that signs is ever one that nobody holds (T17, T69).

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    sync::{Arc, Mutex},
    thread,
};

use tasuki_protocol::bundle::Bundle;
use tasuki_tests::running::program;
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
        (line, House::set_up_at(site).expect("a house"))
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

/// T69: the old root stays the one that signs, here as at the server.
#[test]
fn t69_a_new_root_that_never_reached_the_server_costs_the_old_one_nothing() {
    let (line, house) = Line::house();
    let first = bundle(&house);
    line.lose(Loses::Order);
    for kind in [&["root"] as &[&str], &["lock"], &["root"]] {
        let lost = house.administrate(&[&["key", "rotate"], kind].concat());
        let said = format!("{:#}", lost.expect_err("nothing was answered"));
        assert!(said.contains("is not known"), "{said}");
    }
    line.lose(Loses::Nothing);
    house.administrate(&["key", "renew"]).expect("the old root signs");
    assert_eq!(bundle(&house).root, first.root);
    house.administrate(&["key", "rotate", "root"]).expect("another try");
    house.administrate(&["key", "renew"]).expect("the new root signs");
    assert_ne!(bundle(&house).root, first.root);
}

/// T69: and where it did, the next command knows it.
#[test]
fn t69_a_new_root_that_the_server_took_unheard_is_the_one_that_signs_from_then_on() {
    let (line, house) = Line::house();
    let first = bundle(&house);
    line.lose(Loses::Answer);
    let lost = house.administrate(&["key", "rotate", "root"]);
    let said = format!("{:#}", lost.expect_err("nothing was answered"));
    assert!(said.contains("is not known"), "{said}");
    line.lose(Loses::Nothing);
    assert_eq!(bundle(&house).root, first.root, "nobody has heard of it");
    house.administrate(&["key", "renew"]).expect("the new root signs");
    let renewed = bundle(&house);
    assert!(renewed.root != first.root && renewed.version == first.version + 2, "{renewed:?}");
    let folder = house.folder().join("admin");
    let names = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a name").file_name());
    let pending = names.filter(|name| name.to_string_lossy().ends_with(".pending")).count();
    assert_eq!(pending, 0, "what is settled is cleared away");
}

/// T17: the list from before is under a key that nobody heeds any more, and the next one goes on from it.
#[test]
fn t17_a_device_can_be_revoked_after_the_lock_key_was_dropped_that_signed_the_list() {
    let house = House::set_up().expect("a house");
    let revoke = || house.administrate(&["device", "revoke", "hanako", "--yes"]);
    revoke().expect("the first device is out");
    house.administrate(&["key", "rotate", "lock", "--drop-old"]).expect("a new lock key");
    let code = house.administrate(&["operator", "code", "hanako"]).expect("a code");
    let code = code["enrolment"].as_str().expect("a code");
    let typed = house.folder().join("typed");
    fs::write(&typed, format!("{}\n{code}\n", house.secrets()[1])).expect("written");
    let mut login = Command::new(program("tasuki").expect("the program"));
    login.args(["login", "--tenant"]).arg(house.bundle()).arg("--profile");
    login.arg(house.folder().join("second")).args(["--operator", "hanako", "--password-stdin"]);
    login
        .args(["--enrolment-stdin", "--json"])
        .stdin(Stdio::from(fs::File::open(typed).expect("lines")));
    let asked = login.output().expect("it runs");
    let asked = String::from_utf8_lossy(&asked.stdout).into_owned();
    assert!(asked.contains("device_pending"), "{asked}");
    revoke().expect("the second device is out, too");
    let list = house.administrate(&["device", "list"]).expect("a list");
    let devices = list["devices"].as_array().expect("devices");
    assert_eq!(devices.iter().filter(|device| device["state"] == "revoked").count(), 2, "{list}");
}
