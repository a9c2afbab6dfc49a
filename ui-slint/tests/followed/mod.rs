//! What a desktop says of its language and its colours, and the windows that follow it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tasuki_ui_slint::operator::preferences::{self, Language, Preferences};
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{ConnectionExt as _, ImageFormat};
use zbus::object_server::SignalEmitter;
use zbus::zvariant::{OwnedValue, Value};

use super::*;

const PATH: &str = "/org/freedesktop/portal/desktop";
const APPEARANCE: (&str, &str) = ("org.freedesktop.appearance", "color-scheme");
/// Of the portal's description.
const DARK: u32 = 1;
const LIGHT: u32 = 2;

/// By the locale in its environment, as long as nobody has chosen another one.
#[test]
fn s100_both_windows_speak_the_desktops_language_until_another_is_chosen() {
    let desk = Desk::start();
    let english = ["Remote support", "Tasuki for operators"];
    let japanese = ["リモートサポート", "Tasuki オペレータ"];
    for (locale, titles) in [("en_GB.UTF-8", english), ("ja_JP.UTF-8", japanese)] {
        for ((program, state, _), title) in PROGRAMS.into_iter().zip(titles) {
            let home = tempfile::tempdir().unwrap();
            is_titled(&desk, (program, home.path()), locale, &format!("{state}: {title}"), title);
        }
    }
    let home = tempfile::tempdir().unwrap();
    keep(home.path(), Preferences { language: Language::English, ..Preferences::default() });
    is_titled(&desk, (PROGRAMS[1].0, home.path()), "ja_JP.UTF-8", "as chosen", english[1]);
}

/// By the portal of the desktop, from the first moment and whenever it tells of another.
#[test]
fn s100_both_windows_are_dark_while_the_desktop_is_and_stay_as_they_were_chosen() {
    let desk = Desk::start();
    let home = tempfile::tempdir().unwrap();
    let (_daemon, bus) = bus::start(home.path(), &desk.display);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let portal = runtime.block_on(Portal::start(&bus, DARK)).unwrap();
    let open = |program: &str, profile: &Path| {
        let mut command = quiet(program, &desk.display);
        command.env("DBUS_SESSION_BUS_ADDRESS", &bus).args(["--lang", "en", "--profile"]);
        Shown(command.arg(profile).spawn().unwrap())
    };
    for (program, state, title) in PROGRAMS {
        let profile = tempfile::tempdir().unwrap();
        let mut shown = open(program, profile.path());
        for (scheme, is_due) in [(DARK, false), (LIGHT, true), (DARK, false)] {
            runtime.block_on(portal.tell(scheme)).unwrap();
            until(&format!("{state}: {scheme}"), &mut shown, || is_light(&desk, title) == Some(is_due));
        }
    }
    let (program, state, title) = PROGRAMS[1];
    let profile = tempfile::tempdir().unwrap();
    keep(profile.path(), Preferences { shade: Shade::Light, ..Preferences::default() });
    let mut shown = open(program, profile.path());
    until(state, &mut shown, || is_light(&desk, title).is_some());
    for scheme in [LIGHT, DARK] {
        runtime.block_on(portal.tell(scheme)).unwrap();
        std::thread::sleep(Duration::from_secs(1));
        assert_eq!(is_light(&desk, title), Some(true), "chosen, and the desktop says {scheme}");
    }
}

fn is_titled(desk: &Desk, (program, home): (&str, &Path), locale: &str, what: &str, title: &str) {
    let mut command = quiet(program, &desk.display);
    for other in ["LC_ALL", "LC_MESSAGES", "LANGUAGE"] {
        command.env_remove(other);
    }
    let child = command.env("LANG", locale).arg("--profile").arg(home).spawn().unwrap();
    until(what, &mut Shown(child), || {
        // Its own search knows no letters beyond ASCII.
        let windows = desk.xdotool(&["search", "--onlyvisible", "--name", "."]);
        windows.lines().any(|window| desk.xdotool(&["getwindowname", window]).trim() == title)
    });
}

fn keep(profile: &Path, preferences: Preferences) {
    std::fs::write(profile.join(preferences::FILE), serde_json::to_vec(&preferences).unwrap()).unwrap();
}

/// Of the page's ground, in the lower left corner of the window that is titled so.
fn is_light(desk: &Desk, title: &str) -> Option<bool> {
    let found = desk.xdotool(&["search", "--onlyvisible", "--name", title]);
    let window: u32 = found.lines().next()?.parse().ok()?;
    let (client, _) = x11rb::connect(Some(&desk.display)).unwrap();
    let place = client.get_geometry(window).unwrap().reply().ok()?;
    let y = i16::try_from(place.height).ok()? - 6;
    let asked = client.get_image(ImageFormat::Z_PIXMAP, window, 6, y, 1, 1, u32::MAX).unwrap();
    let pixel = asked.reply().ok()?.data;
    client.flush().unwrap();
    Some(pixel.iter().take(3).map(|channel| u32::from(*channel)).sum::<u32>() > 3 * 128)
}

/// The part of a desktop that tells of its settings.
struct Portal {
    scheme: Arc<AtomicU32>,
    bus: zbus::Connection,
}

struct Settings(Arc<AtomicU32>);

#[zbus::interface(name = "org.freedesktop.portal.Settings")]
impl Settings {
    fn read_one(&self, namespace: &str, key: &str) -> zbus::fdo::Result<OwnedValue> {
        if (namespace, key) == APPEARANCE {
            Ok(self.0.load(Ordering::SeqCst).into())
        } else {
            Err(zbus::fdo::Error::Failed("this desktop has no such setting".to_owned()))
        }
    }

    #[zbus(signal)]
    async fn setting_changed(
        emitter: &SignalEmitter<'_>,
        namespace: &str,
        key: &str,
        value: Value<'_>,
    ) -> zbus::Result<()>;
}

impl Portal {
    async fn start(bus: &str, scheme: u32) -> zbus::Result<Self> {
        let scheme = Arc::new(AtomicU32::new(scheme));
        let builder =
            zbus::connection::Builder::address(bus)?.name("org.freedesktop.portal.Desktop")?;
        let bus = builder.serve_at(PATH, Settings(Arc::clone(&scheme)))?.build().await?;
        Ok(Self { scheme, bus })
    }

    async fn tell(&self, scheme: u32) -> zbus::Result<()> {
        self.scheme.store(scheme, Ordering::SeqCst);
        let emitter = SignalEmitter::new(&self.bus, PATH)?;
        Settings::setting_changed(&emitter, APPEARANCE.0, APPEARANCE.1, scheme.into()).await
    }
}
