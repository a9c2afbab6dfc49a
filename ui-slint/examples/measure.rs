//! What the windows cost, as a page: what painting costs (`paint`), and of each window how soon it is
//! seen, what it holds of memory, what it costs at rest, and how large its program is.
//!
//! `./dev bench windows` runs it on a display of its own. A figure that misses its aim is said to, and the program
//! ends with 2.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{ConnectionExt as _, ImageFormat, MapState, Window};
use x11rb::rust_connection::RustConnection;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Program, state, and how its window is called.
const WINDOWS: [(&str, &str, &str); 7] = [
    ("tasuki-agent", "agent-number", "the number"),
    ("tasuki-agent", "agent-consent-control", "the question"),
    ("tasuki-agent", "agent-live-control", "in a session, with its bar"),
    ("tasuki-agent", "agent-watching-show", "watching, 1280x800 seen"),
    ("tasuki-operator", "operator-sign-in", "signing in"),
    ("tasuki-operator", "operator-home", "a new session"),
    ("tasuki-operator", "operator-viewer", "in a session, 1280x800 seen"),
];
/// Starts of each, of which the middle one is told; one more before them warms the file cache.
const STARTS: usize = 5;
const PATIENCE: Duration = Duration::from_secs(60);
/// A window that was opened a moment ago is still at work.
const SETTLING: Duration = Duration::from_secs(3);
const RESTING: Duration = Duration::from_secs(5);
/// Fewer colours are a window that is not painted yet.
const PAINTED: usize = 12;

const WHOLE_MS: f64 = 6.0;
const LETTER_MS: f64 = 1.0;
const SEEN_S: f64 = 1.0;
const RESIDENT_MB: f64 = 60.0;

fn main() -> Outcome<ExitCode> {
    let own = std::env::current_exe()?;
    let examples = own.parent().ok_or("this program lies nowhere")?;
    let programs = examples.parent().ok_or("no folder of programs")?;
    let mut missed = Vec::new();
    println!("# What the windows cost\n");
    println!(
        "Measured by `./dev bench windows`: release build, software renderer, a virtual X server without a \
         window manager, {}. CPU time is what counts; times by the clock are those of a shared machine.\n",
        machine()
    );
    println!(
        "The aims: {WHOLE_MS:.0} ms of CPU for a whole 1920x1080 picture and {LETTER_MS:.0} ms for a typed \
         letter, by both threads of the program, with what they ask of the X server; what the server then spends \
         itself stands beside it. A line over the picture goes away after seconds, and those rows are held to no aim; on Wayland \
         and over a network's display they are all there is, and the aim of a whole picture is missed by them (nothing was measured there). Seen within \
         {SEEN_S:.0} s of the start; {RESIDENT_MB:.0} MB resident at rest.\n"
    );
    println!("{}", painting(&examples.join("paint"), &mut missed)?);
    println!("| program | stripped, MB |\n|---|---:|");
    for name in ["tasuki-agent", "tasuki-operator"] {
        let size = std::fs::metadata(programs.join(name))?.len();
        println!("| `{name}` | {:.1} |", size as f64 / 1e6);
    }
    println!(
        "\nThe middle one of {STARTS} starts; memory {} s later.\n",
        (SETTLING + RESTING).as_secs()
    );
    println!(
        "| window | seen after, s | resident, MB | of it its own, MB | at rest, % of a core |\n|---|---:|---:|---:|---:|"
    );
    for (name, state, words) in WINDOWS {
        let found = measure(&programs.join(name), state)?;
        println!("| `{name}`: {words} | {} |", found.row());
        missed.extend(found.missed(&format!("`{name}`: {words}")));
    }
    println!("\nThe states above are made up (`--mock`).\n");
    println!("{}", in_session(examples, &mut missed)?);
    match missed.is_empty() {
        true => println!("\nEvery aim is met on X11."),
        false => println!("\nAims that are missed:\n\n- {}", missed.join("\n- ")),
    }
    Ok(if missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

/// The table of `paint`, and which of its rows miss their aim.
fn painting(program: &Path, missed: &mut Vec<String>) -> Outcome<String> {
    let painted = Command::new(program).stderr(Stdio::null()).output()?;
    let table = String::from_utf8(painted.stdout)?;
    let mut rows = 0;
    for line in table.lines().skip(2) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [name, painting, window, _] = cells[..] else { continue };
        rows += 1;
        if name.contains("under a line") {
            continue;
        }
        let spent = painting.parse::<f64>()? + window.parse::<f64>()?;
        let aim = if name.contains("one letter") { LETTER_MS } else { WHOLE_MS };
        if spent > aim {
            missed.push(format!("{name}: {spent:.2} ms of {aim:.0}"));
        }
    }
    if rows == 0 {
        return Err("nothing was painted".into());
    }
    Ok(table)
}

/// The table of `bench window`, of a real session: a program of the other workspace, where it is built.
fn in_session(examples: &Path, missed: &mut Vec<String>) -> Outcome<String> {
    let bench = examples.join("../../../../target/release/bench");
    if !bench.is_file() {
        return Err(
            "a real session is measured by what `cargo build --release --workspace --bins` builds"
                .into(),
        );
    }
    let measured = Command::new(bench).arg("window").stderr(Stdio::inherit()).output()?;
    let table = String::from_utf8(measured.stdout)?;
    let mut rows = 0;
    for line in table.lines().skip(2) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [name, resident, _] = cells[..] else { continue };
        rows += 1;
        if resident.parse::<f64>()? > RESIDENT_MB {
            missed.push(format!("`tasuki-agent` in a real session, {name}: {resident} MB resident"));
        }
    }
    if rows == 0 {
        return Err("no session began".into());
    }
    Ok(table)
}

struct Found {
    seen: f64,
    resident: f64,
    own: f64,
    at_rest: f64,
}

impl Found {
    fn row(&self) -> String {
        format!("{:.2} | {:.1} | {:.1} | {:.1}", self.seen, self.resident, self.own, self.at_rest)
    }

    fn missed(&self, window: &str) -> Vec<String> {
        let late = (self.seen > SEEN_S).then(|| format!("{window}: seen after {:.2} s", self.seen));
        let large = self.resident > RESIDENT_MB;
        let large = large.then(|| format!("{window}: {:.1} MB resident", self.resident));
        late.into_iter().chain(large).collect()
    }
}

fn measure(program: &Path, state: &str) -> Outcome<Found> {
    let (display, screen) = x11rb::connect(None)?;
    let root = display.setup().roots[screen].root;
    let mut seen = Vec::new();
    for start in 0..=STARTS {
        let begun = Instant::now();
        let mut shown = Shown(open(program, state)?);
        wait_for_paint(&display, root, &mut shown.0)?;
        if start > 0 {
            seen.push(begun.elapsed());
        }
        drop(shown);
        wait_for_nothing(&display, root)?;
    }
    seen.sort();
    let mut shown = Shown(open(program, state)?);
    wait_for_paint(&display, root, &mut shown.0)?;
    std::thread::sleep(SETTLING);
    let before = cpu_of(shown.0.id())?;
    std::thread::sleep(RESTING);
    let spent = cpu_of(shown.0.id())?.saturating_sub(before);
    let [resident, own] = memory_of(shown.0.id())?;
    drop(shown);
    wait_for_nothing(&display, root)?;
    Ok(Found {
        seen: seen[STARTS / 2].as_secs_f64(),
        resident,
        own,
        at_rest: spent.as_secs_f64() / RESTING.as_secs_f64() * 100.0,
    })
}

/// A program that ends with this.
struct Shown(Child);

impl Drop for Shown {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn open(program: &Path, state: &str) -> Outcome<Child> {
    let mut command = Command::new(program);
    command.args(["--lang", "en", "--mock", state]).env_remove("WAYLAND_DISPLAY");
    command.env_remove("DBUS_SESSION_BUS_ADDRESS").env("SLINT_BACKEND", "winit-software");
    Ok(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?)
}

fn wait_for_paint(display: &RustConnection, root: Window, child: &mut Child) -> Outcome<()> {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if child.try_wait()?.is_some() {
            return Err("the window went away by itself".into());
        }
        for window in windows(display, root)? {
            if colours(display, window).is_some_and(|colours| colours >= PAINTED) {
                return Ok(());
            }
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Err("no window was painted".into())
}

fn wait_for_nothing(display: &RustConnection, root: Window) -> Outcome<()> {
    let end = Instant::now() + PATIENCE;
    while !windows(display, root)?.is_empty() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// The windows that are seen; nobody else is on this display.
fn windows(display: &RustConnection, root: Window) -> Outcome<Vec<Window>> {
    let mut seen = display.query_tree(root)?.reply()?.children;
    seen.retain(|window| {
        let facts = display.get_window_attributes(*window).ok().and_then(|facts| facts.reply().ok());
        facts.is_some_and(|facts| facts.map_state == MapState::VIEWABLE)
    });
    Ok(seen)
}

/// How many colours stand in the upper left part of a window.
fn colours(display: &RustConnection, window: Window) -> Option<usize> {
    let size = display.get_geometry(window).ok()?.reply().ok()?;
    let (width, height) = (size.width.min(400), size.height.min(400));
    let image = display.get_image(ImageFormat::Z_PIXMAP, window, 0, 0, width, height, !0);
    let mut pixels: Vec<[u8; 3]> = Vec::new();
    for pixel in image.ok()?.reply().ok()?.data.chunks_exact(4) {
        pixels.push([pixel[0], pixel[1], pixel[2]]);
    }
    pixels.sort_unstable();
    pixels.dedup();
    Some(pixels.len())
}

/// Its own time and the kernel's for it (proc(5): fields 14 and 15, in hundredths of a second).
fn cpu_of(process: u32) -> Outcome<Duration> {
    let stat = std::fs::read_to_string(facts(process).join("stat"))?;
    let (_, after_name) = stat.rsplit_once(") ").ok_or("an odd stat")?;
    let fields: Vec<&str> = after_name.split(' ').collect();
    let field = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
    Ok(Duration::from_millis((field(11) + field(12)) * 10))
}

/// Resident, and of it what no file backs, in MB (proc(5)).
fn memory_of(process: u32) -> Outcome<[f64; 2]> {
    let status = std::fs::read_to_string(facts(process).join("status"))?;
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or_default() * 1024.0 / 1e6
    };
    Ok([of("VmRSS:"), of("RssAnon:")])
}

fn facts(process: u32) -> PathBuf {
    Path::new("/proc").join(process.to_string())
}

/// How many processors of which kind.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.map(|name| name.trim_start_matches([' ', '\t', ':'])).unwrap_or("a processor");
    format!("{cores} cores of {model}")
}
