//! Both windows on Wayland, under a compositor without a screen (weston).

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);
const SOCKET: &str = "tasuki-test";
/// The button that is to be pressed, as light colours have it.
const ACCENT: [u8; 3] = [0x1f, 0x5f, 0xd6];
/// "End now", and the bar while somebody sees the screen.
const LIVE: [u8; 3] = [0xb3, 0x20, 0x2f];

#[test]
fn both_windows_are_seen_on_wayland() {
    let compositor = Compositor::start();
    let windows = [
        (env!("CARGO_BIN_EXE_tasuki-agent"), "agent-number", ACCENT, "wayland-agent.png"),
        (env!("CARGO_BIN_EXE_tasuki-agent"), "agent-live-control", LIVE, "wayland-agent-live.png"),
        (env!("CARGO_BIN_EXE_tasuki-operator"), "operator-home", ACCENT, "wayland-operator.png"),
    ];
    for (program, state, colour, picture) in windows {
        let mut window = compositor.open(program, state);
        let seen = compositor.wait_for(colour, &mut window.0, state);
        if std::env::var_os("TASUKI_WRITE_PICTURES").is_some() {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/images");
            std::fs::copy(seen, folder.join(picture)).unwrap();
        }
    }
}

/// Ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Compositor {
    _weston: Running,
    folder: tempfile::TempDir,
}

impl Compositor {
    fn start() -> Self {
        // Private to its owner, as the compositor demands of its run-time folder.
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("weston");
        command.args(["--backend=headless-backend.so", "--use-pixman", "--no-config", "--debug"]);
        command.args(["--width=1360", "--height=860", "--socket", SOCKET]);
        command.env("XDG_RUNTIME_DIR", folder.path()).env_remove("DISPLAY");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let weston = Running(command.spawn().expect("weston starts"));
        let deadline = Instant::now() + PATIENCE;
        while !folder.path().join(SOCKET).exists() {
            assert!(Instant::now() < deadline, "weston listens");
            std::thread::sleep(Duration::from_millis(50));
        }
        Self { _weston: weston, folder }
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("XDG_RUNTIME_DIR", self.folder.path()).env("WAYLAND_DISPLAY", SOCKET);
        command.env_remove("DISPLAY").env_remove("DBUS_SESSION_BUS_ADDRESS");
        command.current_dir(self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn open(&self, program: &str, state: &str) -> Running {
        let mut command = self.command(program);
        Running(command.args(["--lang", "en", "--mock", state]).spawn().unwrap())
    }

    /// The first picture of the compositor's screen on which many pixels have this colour.
    fn wait_for(&self, colour: [u8; 3], window: &mut Child, state: &str) -> PathBuf {
        let deadline = Instant::now() + PATIENCE;
        loop {
            assert!(window.try_wait().unwrap().is_none(), "{state}: the window went away");
            let picture = self.picture();
            if count(&picture, colour) > 4000 {
                return picture;
            }
            assert!(Instant::now() < deadline, "{state} is not seen on Wayland");
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    fn picture(&self) -> PathBuf {
        for old in self.pictures() {
            std::fs::remove_file(old).unwrap();
        }
        let took = self.command("weston-screenshooter").status().unwrap();
        assert!(took.success(), "weston takes a picture of its screen");
        self.pictures().pop().unwrap()
    }

    fn pictures(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let files = entries.map(|entry| entry.unwrap().path());
        files.filter(|file| file.extension().is_some_and(|ending| ending == "png")).collect()
    }
}

fn count(picture: &Path, colour: [u8; 3]) -> usize {
    let file = std::io::BufReader::new(std::fs::File::open(picture).unwrap());
    let mut decoder = png::Decoder::new(file);
    decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    let samples = info.color_type.samples();
    pixels[..info.buffer_size()].chunks_exact(samples).filter(|pixel| pixel[..3] == colour).count()
}
