//! What capture and VP8 cost on this machine: a table of CPU time and latency.
//!
//! Draws on the display in DISPLAY (an Xvfb of 1920x1080 is meant) and encodes
//! and decodes what it draws, in one process but on threads of their own.
#![allow(clippy::print_stdout)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use tasuki_media::video::{Demand, KeyFrame, Picture, Source};
use tasuki_media::vp8::Bitrate;
use tasuki_media::x11::X11Screen;
use x11rb::COPY_DEPTH_FROM_PARENT;
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{
    ChangeGCAux, ConnectionExt as _, CreateGCAux, CreateWindowAux, Gcontext, Rectangle, Window,
    WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

const SECONDS: u64 = 5;
const DEMAND: Demand = Demand { bitrate: Bitrate(20_000_000), key_frame: KeyFrame::WhenNeeded };

#[derive(Default)]
struct Tally {
    frames: usize,
    bytes: usize,
    cpu: Duration,
    decode: Duration,
    latency: Vec<Duration>,
}

fn main() {
    let painter = Painter::open();
    let drawn = Arc::new(Mutex::new(None::<Instant>));
    println!("scene      fps   kB/s  source-cpu%  decode-cpu%  ms/frame  draw->decoded p50 / p95 ms");
    let scenes: [(&str, u64, Paint); 5] = [
        ("idle", 0, |_, _| {}),
        ("typing", 10, Painter::letter),
        ("scroll", 30, Painter::scroll),
        ("drag", 60, Painter::drag),
        ("motion", 60, Painter::motion),
    ];
    let screen = X11Screen::open(None).expect("a display of its own, in DISPLAY");
    let mut source = Source::new(Box::new(screen));
    let _ = source.next(DEMAND, Duration::from_millis(700)).expect("a step");
    println!("a source alone: {}", resident());
    let mut picture = Picture::new().expect("a decoder");
    for (name, rate, paint) in scenes {
        painter.text();
        let key = Demand { key_frame: KeyFrame::Now, ..DEMAND };
        let mut demand = key;
        while let Some(frame) = source.next(demand, Duration::from_millis(700)).expect("a step").frame {
            picture.show(&frame.bytes).expect("a frame");
            demand = DEMAND;
        }
        let tally;
        (source, picture, tally) = measure(source, picture, &painter, &drawn, rate, paint);
        report(name, tally);
    }
    println!("all together: {}", resident());
}

fn resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find(|line| line.starts_with("VmRSS")).unwrap_or_default().to_owned()
}

type Paint = fn(&Painter, u32);
type Mark = Arc<Mutex<Option<Instant>>>;

fn measure(
    source: Source,
    picture: Picture,
    painter: &Painter,
    drawn: &Mark,
    rate: u64,
    paint: Paint,
) -> (Source, Picture, Tally) {
    let stop = Arc::new(AtomicBool::new(false));
    let (frames, mailbox) = mpsc::sync_channel::<Vec<u8>>(4);
    let encoding = std::thread::spawn({
        let stop = Arc::clone(&stop);
        move || encode(source, &stop, &frames)
    });
    let decoding = std::thread::spawn({
        let drawn = Arc::clone(drawn);
        move || decode(picture, &mailbox, &drawn)
    });
    let start = Instant::now();
    let mut step = 0;
    while start.elapsed() < Duration::from_secs(SECONDS) {
        if rate == 0 {
            std::thread::sleep(Duration::from_secs(SECONDS));
            continue;
        }
        step += 1;
        paint(painter, step);
        drawn.lock().expect("no panic").get_or_insert_with(Instant::now);
        let next = start + Duration::from_micros(1_000_000 / rate) * step;
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    stop.store(true, Ordering::SeqCst);
    let (source, sent) = encoding.join().expect("no panic");
    let (picture, seen) = decoding.join().expect("no panic");
    let tally = Tally { decode: seen.decode, latency: seen.latency, ..sent };
    (source, picture, tally)
}

fn encode(mut source: Source, stop: &AtomicBool, out: &mpsc::SyncSender<Vec<u8>>) -> (Source, Tally) {
    let mut tally = Tally::default();
    let before = thread_cpu();
    while !stop.load(Ordering::SeqCst) {
        let Some(frame) = source.next(DEMAND, Duration::from_millis(500)).expect("a step").frame else {
            continue;
        };
        tally.frames += 1;
        tally.bytes += frame.bytes.len();
        out.send(frame.bytes).expect("a decoder");
    }
    tally.cpu = thread_cpu() - before;
    (source, tally)
}

fn decode(mut picture: Picture, mailbox: &mpsc::Receiver<Vec<u8>>, drawn: &Mark) -> (Picture, Tally) {
    let mut tally = Tally::default();
    let before = thread_cpu();
    for frame in mailbox {
        picture.show(&frame).expect("a frame");
        if let Some(at) = drawn.lock().expect("no panic").take() {
            tally.latency.push(at.elapsed());
        }
    }
    tally.decode = thread_cpu() - before;
    (picture, tally)
}

fn report(name: &str, mut tally: Tally) {
    tally.latency.sort_unstable();
    let at = |share: usize| {
        let place = tally.latency.len() * share / 100;
        tally.latency.get(place).map_or(0.0, |d| d.as_secs_f64() * 1000.0)
    };
    let seconds = SECONDS as f64;
    println!(
        "{name:8} {:5.1} {:6.0} {:12.1} {:12.1} {:9.1} {:9.1} / {:.1}",
        tally.frames as f64 / seconds,
        tally.bytes as f64 / seconds / 1000.0,
        tally.cpu.as_secs_f64() / seconds * 100.0,
        tally.decode.as_secs_f64() / seconds * 100.0,
        tally.cpu.as_secs_f64() * 1000.0 / tally.frames.max(1) as f64,
        at(50),
        at(95),
    );
}

fn thread_cpu() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

struct Painter {
    connection: RustConnection,
    window: Window,
    gc: Gcontext,
}

impl Painter {
    fn open() -> Self {
        let (connection, number) = RustConnection::connect(None).expect("a display in DISPLAY");
        let root = connection.setup().roots[number].root;
        let (window, gc) =
            (connection.generate_id().expect("id"), connection.generate_id().expect("id"));
        let aux = CreateWindowAux::new().background_pixel(0xFF_FF_FF).override_redirect(1);
        let class = WindowClass::INPUT_OUTPUT;
        let c = &connection;
        c.create_window(COPY_DEPTH_FROM_PARENT, window, root, 0, 0, 1920, 1080, 0, class, 0, &aux)
            .expect("sent");
        let font = c.generate_id().expect("id");
        c.open_font(font, b"fixed").expect("sent");
        c.create_gc(gc, window, &CreateGCAux::new().font(font)).expect("sent");
        c.map_window(window).expect("sent");
        c.sync().expect("the display answers");
        Self { connection, window, gc }
    }

    fn colour(&self, rgb: u32, background: u32) {
        let aux = ChangeGCAux::new().foreground(rgb).background(background);
        self.connection.change_gc(self.gc, &aux).expect("sent");
    }

    fn rectangle(&self, x: i16, y: i16, width: u16, height: u16) {
        let area = Rectangle { x, y, width, height };
        self.connection.poly_fill_rectangle(self.window, self.gc, &[area]).expect("sent");
    }

    fn line(&self, y: i16, number: u32) {
        self.colour(0x10_10_10, 0xFF_FF_FF);
        let text: Vec<u8> =
            (0..250u32).map(|i| 33 + (i * 7 + number * 31 + i * number) as u8 % 90).collect();
        self.connection.image_text8(self.window, self.gc, 10, y, &text).expect("sent");
    }

    fn text(&self) {
        self.colour(0xFF_FF_FF, 0);
        self.rectangle(0, 0, 1920, 1080);
        for number in 0..75 {
            self.line(20 + number as i16 * 14, number);
        }
        self.connection.sync().expect("the display answers");
    }

    fn letter(&self, step: u32) {
        self.colour(0x10_10_10, 0xFF_FF_FF);
        let letter = [b'a' + (step % 26) as u8];
        let x = 300 + (step % 100) as i16 * 7;
        self.connection.image_text8(self.window, self.gc, x, 524, &letter).expect("sent");
        self.connection.flush().expect("sent");
    }

    fn scroll(&self, step: u32) {
        self.connection
            .copy_area(self.window, self.window, self.gc, 0, 24, 0, 10, 1000, 700)
            .expect("sent");
        self.line(720, step);
        self.connection.flush().expect("sent");
    }

    fn drag(&self, step: u32) {
        let x = (step * 9 % 1300) as i16;
        self.colour(0xE0_E8_F0, 0);
        self.rectangle(x - 9, 200, 9, 500);
        self.colour(0x30_60_A0, 0);
        self.rectangle(x, 200, 600, 30);
        self.colour(0xF8_F8_F8, 0);
        self.rectangle(x, 230, 600, 470);
        self.connection.flush().expect("sent");
    }

    fn motion(&self, step: u32) {
        for row in 0..27u32 {
            for column in 0..48u32 {
                let shade = row * 9 + column * 5 + step * 3;
                self.colour(((shade * 3 % 256) << 16) | ((shade * 5 % 256) << 8) | (shade % 256), 0);
                self.rectangle(column as i16 * 40, row as i16 * 40, 40, 40);
            }
        }
        self.connection.flush().expect("sent");
    }
}
