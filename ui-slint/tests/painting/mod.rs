//! Paints windows without a display, and compares them with the committed pictures.

#![allow(dead_code, reason = "each test program uses another part of this painting")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use i_slint_backend_testing::{TestingBackend, TestingBackendOptions};
use slint::{Rgba8Pixel, SharedPixelBuffer};
use tasuki_peer::shell::texts::Lang;
use tasuki_ui_slint::look::Shade;

/// A channel may be off by this much: the last bit of an edge differs between processors.
const NEAR: u8 = 24;
/// Of so many pixels one may be off further: less than a letter in any window.
const ONE_FAR_OF: usize = 20_000;

pub(crate) fn start() {
    let options = TestingBackendOptions {
        mock_time: true,
        threading: true,
        renderer_name: Some("software".into()),
    };
    slint::platform::set_platform(Box::new(TestingBackend::new(options))).unwrap();
}

/// Both languages, both colours.
pub(crate) fn manners() -> [(Lang, Shade); 4] {
    [
        (Lang::En, Shade::Light),
        (Lang::En, Shade::Dark),
        (Lang::Ja, Shade::Light),
        (Lang::Ja, Shade::Dark),
    ]
}

/// Whether a picture of this name is asked for: all, or to be written anew those with the variable's word in their
/// names.
pub(crate) fn is_due(name: &str) -> bool {
    !is_asked_for_by_word() || name.contains(&std::env::var("TASUKI_WRITE_PICTURES").unwrap())
}

/// All pictures of one test, so that one run tells every one that is off.
#[derive(Debug)]
pub(crate) struct Gallery {
    off: Vec<String>,
    hung: BTreeSet<String>,
    /// Whether a file of the folder is of this test, by its name.
    is_own: fn(&str) -> bool,
}

impl Gallery {
    pub(crate) fn new(is_own: fn(&str) -> bool) -> Self {
        Self { off: Vec::new(), hung: BTreeSet::new(), is_own }
    }

    pub(crate) fn hang(
        &mut self,
        name: &str,
        (lang, shade): (Lang, Shade),
        picture: &SharedPixelBuffer<Rgba8Pixel>,
    ) {
        let tone = if shade == Shade::Dark { "dark" } else { "light" };
        let name = format!("{name}-{}-{tone}.png", lang.name());
        assert!((self.is_own)(&name), "{name} is of another test");
        let file = folder().join(&name);
        assert!(self.hung.insert(name), "{} twice", file.display());
        let rgb: Vec<u8> =
            picture.as_bytes().chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
        if std::env::var_os("TASUKI_WRITE_PICTURES").is_some() {
            write(&file, picture.width(), picture.height(), &rgb);
        } else if let Some(why) = differs(&file, picture.width(), picture.height(), &rgb) {
            // Beside the others of this build, to be looked at.
            let found = Path::new(env!("CARGO_TARGET_TMPDIR")).join(file.file_name().unwrap());
            write(&found, picture.width(), picture.height(), &rgb);
            self.off.push(format!("{}: {why}; painted now: {}", file.display(), found.display()));
        }
    }

    /// # Panics
    /// When a picture is off, or one lies there that nothing paints any more.
    pub(crate) fn close(mut self) {
        self.clear_out();
        assert!(
            self.off.is_empty(),
            "look at them, then run ./dev screenshots:\n{}",
            self.off.join("\n")
        );
    }

    fn clear_out(&mut self) {
        if is_asked_for_by_word() {
            return;
        }
        for entry in std::fs::read_dir(folder()).unwrap() {
            let file = entry.unwrap().path();
            let name = file.file_name().unwrap().to_str().unwrap();
            if !(self.is_own)(name) || self.hung.contains(name) {
                continue;
            }
            if std::env::var_os("TASUKI_WRITE_PICTURES").is_some() {
                std::fs::remove_file(&file).unwrap();
            } else {
                self.off.push(format!("{}: nothing paints it any more", file.display()));
            }
        }
    }
}

fn is_asked_for_by_word() -> bool {
    let word = std::env::var("TASUKI_WRITE_PICTURES").unwrap_or_default();
    !(word.is_empty() || word == "1")
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/images/windows")
}

fn write(file: &Path, width: u32, height: u32, rgb: &[u8]) {
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let mut encoder = png::Encoder::new(std::fs::File::create(file).unwrap(), width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    encoder.write_header().unwrap().write_image_data(rgb).unwrap();
}

fn differs(file: &Path, width: u32, height: u32, rgb: &[u8]) -> Option<String> {
    let Ok(opened) = std::fs::File::open(file) else {
        return Some("there is no such picture".to_owned());
    };
    let mut reader = png::Decoder::new(std::io::BufReader::new(opened)).read_info().unwrap();
    let mut before = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut before).unwrap();
    if (info.width, info.height) != (width, height) {
        return Some(format!("{}x{} became {width}x{height}", info.width, info.height));
    }
    let is_far = |(a, b): (&[u8], &[u8])| a.iter().zip(b).any(|(a, b)| a.abs_diff(*b) > NEAR);
    let far = before.chunks_exact(3).zip(rgb.chunks_exact(3)).filter(|(a, b)| is_far((a, b))).count();
    let pixels = rgb.len() / 3;
    (far * ONE_FAR_OF > pixels).then(|| format!("{far} of {pixels} pixels differ"))
}
