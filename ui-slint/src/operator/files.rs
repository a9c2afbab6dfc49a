//! Files of the operator's program: what it finds at its start, and pictures it keeps.
//!
//! Decides names and places; nothing of a customer is written but what the operator asks for.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::tz::TimeZone;
use tasuki_peer::shell::desktop::Viewer;
use tasuki_peer::shell::fault::Fault;
use tasuki_peer::shell::pictures::{self, Place, Unkept};
use tasuki_peer::shell::run::Order;
use tasuki_peer::shell::settings::Settings;
use tasuki_peer::shell::trust::Trust;
use tasuki_protocol::screen::Layout;
use tokio::sync::mpsc;

use super::entrance::{Found, Trusted};
use super::memory;
use super::model::Account;
use super::preferences::Preferences;
use super::session::Happened;
use crate::clock;

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// What the profile and the signed bundle say, beside settings that lie `aside` already.
pub fn look(settings: &Settings, aside: Option<PathBuf>) -> Found {
    let folder = &settings.profile.state;
    let read = memory::preferences(folder);
    let trust = Trust::load(settings.tenant.as_deref(), &settings.profile);
    let account = trust.as_ref().ok().and_then(|trust| account(settings, trust));
    Found {
        preferences: read.preferences,
        set_aside: aside.into_iter().chain(read.set_aside).collect(),
        history: memory::history(folder),
        trust: trust.map(|trust| Trusted {
            server: server_of(&trust),
            organisation: trust.bundle.organisation,
        }),
        account,
    }
}

/// A sign-in that this machine's clock holds for running; the server has the last word.
fn account(settings: &Settings, trust: &Trust) -> Option<Account> {
    let sign_in = settings.profile.sign_in().ok()?;
    let runs = sign_in.expires_at > now() && sign_in.tenant == trust.bundle.tenant;
    runs.then(|| Account {
        user: sign_in.operator.clone(),
        name: sign_in.display_name.clone(),
        organisation: trust.bundle.organisation.clone(),
        server: server_of(trust),
        modes: sign_in.modes.clone(),
        reason: sign_in.reason,
        certified_until: sign_in.certified_until,
        went_back: None,
    })
}

pub fn server_of(trust: &Trust) -> String {
    let Trust { bundle, .. } = trust;
    if bundle.port == 443 { bundle.host.clone() } else { format!("{}:{}", bundle.host, bundle.port) }
}

/// Whether nobody ever signed in from this profile: who signed out again has left his name.
pub fn is_new(settings: &Settings) -> bool {
    matches!(settings.profile.sign_in(), Err(Fault::NotSignedIn))
        && memory::preferences(&settings.profile.state).preferences.user.is_empty()
}

/// Where a picture of `customer`'s screen goes, under a name that is free.
pub fn picture_file(
    preferences: &Preferences,
    customer: &str,
    (now, zone): (u64, &TimeZone),
) -> PathBuf {
    let folder = preferences.pictures.clone().unwrap_or_else(pictures_folder);
    let who: String = customer.chars().filter(|c| c.is_alphanumeric()).take(24).collect();
    let stamp = clock::stamp(now, zone);
    let stem = if who.is_empty() { format!("tasuki-{stamp}") } else { format!("tasuki-{stamp}-{who}") };
    free(&folder, &stem)
}

fn free(folder: &Path, stem: &str) -> PathBuf {
    let plain = folder.join(format!("{stem}.png"));
    let numbered = (2..1000).map(|number| folder.join(format!("{stem}-{number}.png")));
    std::iter::once(plain.clone()).chain(numbered).find(|file| !file.exists()).unwrap_or(plain)
}

/// By the XDG user directories' usual name, where it exists; else the home folder.
pub fn pictures_folder() -> PathBuf {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let pictures = home.join("Pictures");
    if pictures.is_dir() { pictures } else { home }
}

/// S7, S95: the viewer's picture as a file of the operator's; `None` where it may not be kept any more, which is seen.
pub async fn keep_picture(
    orders: mpsc::Sender<Order>,
    viewer: Viewer,
    file: PathBuf,
) -> Option<Happened> {
    let make = move || match new_file(&file) {
        Ok(opened) => Ok(Place { file, opened }),
        Err(why) => Err(Fault::CannotWrite { file, why: why.to_string() }),
    };
    match pictures::keep(orders, viewer, make).await {
        Ok(kept) => Some(Happened::ScreenshotKept(kept.file)),
        Err(Unkept::Unwritten(fault)) => Some(Happened::ScreenshotFailed(fault)),
        Err(Unkept::Untold | Unkept::NoPicture) => None,
    }
}

fn new_file(file: &Path) -> std::io::Result<File> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    pictures::new_file(file)
}

/// The monitors of this desktop, to choose from.
pub async fn own_monitors() -> Option<Layout> {
    tokio::task::spawn_blocking(|| tasuki_media::desktop::monitors(None).ok()).await.ok().flatten()
}

#[cfg(test)]
mod tests {
    use tasuki_media::blocks::ChangedBlocks;
    use tasuki_media::i420::I420;
    use tasuki_media::screen::Pixels;
    use tasuki_media::vp8::{Bitrate, Coding, Encoder};
    use tasuki_peer::core::io::PictureCommand;
    use tasuki_peer::core::path::VideoFrame;
    use tasuki_peer::shell::texts::Lang;
    use tasuki_protocol::leg::{FrameKind, VideoHeader};

    use super::super::model::Model;
    use super::super::preferences;
    use super::super::update::{Effect, Msg, update};
    use super::*;

    /// A viewer that shows one grey picture.
    async fn viewer() -> Viewer {
        const SIDE: u16 = 64;
        let bgra = vec![90; usize::from(SIDE) * usize::from(SIDE) * 4];
        let (mut picture, changed) = (I420::new(SIDE, SIDE), ChangedBlocks::all(SIDE, SIDE));
        let stride = usize::from(SIDE) * 4;
        picture.update(&Pixels { bgra: &bgra, stride, width: SIDE, height: SIDE, changed: &changed });
        let mut encoder = Encoder::new(SIDE, SIDE, Bitrate(8_000_000)).unwrap();
        let vp8 = encoder.encode(&picture, Coding::Key).unwrap().bytes;
        let header = VideoHeader { number: 1, kind: FrameKind::Key };
        let viewer = Viewer::default();
        viewer.act(PictureCommand::Frame(VideoFrame { header, vp8 }));
        assert_eq!(viewer.newer_than(0).await.count, 1);
        viewer
    }

    /// From the settings page to the file, and back to the usual folder.
    #[tokio::test(flavor = "multi_thread")]
    async fn s7_a_kept_picture_lies_in_the_folder_that_was_chosen_and_the_choice_outlives_the_window() {
        let profile = tempfile::tempdir().unwrap();
        let chosen = profile.path().join("not there yet/pictures");
        let mut model = Model::new(Lang::En, 1_795_615_565);
        let kept = update(&mut model, Msg::ChooseFolder(chosen.clone()));
        let [Effect::Keep(kept)] = kept.as_slice() else { panic!("{kept:?}") };
        std::fs::write(profile.path().join(preferences::FILE), serde_json::to_vec(kept).unwrap())
            .unwrap();
        // The next start of the program reads it.
        let read = memory::preferences(profile.path()).preferences;
        assert_eq!(read, model.preferences);
        let file = picture_file(&read, "Tanaka", (model.now, &TimeZone::UTC));
        let (orders, mut asked) = mpsc::channel(4);
        let session = tokio::spawn(async move {
            while let Some(order) = asked.recv().await {
                if let Order::KeepPicture(leave) = order {
                    leave.send(true).unwrap();
                }
            }
        });
        let happened = keep_picture(orders, viewer().await, file.clone()).await;
        let is_told = matches!(&happened, Some(Happened::ScreenshotKept(kept)) if *kept == file);
        assert!(is_told, "{happened:?}");
        assert_eq!(file, chosen.join("tasuki-20261125-140605-Tanaka.png"));
        assert!(std::fs::read(&file).unwrap().starts_with(b"\x89PNG"));
        session.await.unwrap();
        let _ = update(&mut model, Msg::ChooseFolder(PathBuf::new()));
        let usual = picture_file(&model.preferences, "Tanaka", (model.now, &TimeZone::UTC));
        assert_eq!(usual.parent(), Some(pictures_folder().as_path()));
    }

    #[test]
    fn a_picture_has_a_name_that_tells_when_and_of_whom_and_never_overwrites() {
        let folder = tempfile::tempdir().unwrap();
        let preferences =
            Preferences { pictures: Some(folder.path().to_owned()), ..Preferences::default() };
        let name = |now| picture_file(&preferences, "田中 / ../Accounting", (now, &TimeZone::UTC));
        let first = name(1_795_615_565);
        assert_eq!(first, folder.path().join("tasuki-20261125-140605-田中Accounting.png"));
        std::fs::write(&first, "taken").unwrap();
        let second = name(1_795_615_565);
        assert_eq!(second, folder.path().join("tasuki-20261125-140605-田中Accounting-2.png"));
    }
}
