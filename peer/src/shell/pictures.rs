//! Pictures of the other side's screen that a surface keeps (S7, S22).
//!
//! Decides the order of it: its place is taken, with nothing of the picture in it, so that nobody is told of one that
//! cannot be kept; the other side is told; the picture is put there (T27); this end's record names it (S95). What may
//! not be told is not kept.

use std::fs::{self, File};
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use tokio::sync::{mpsc, oneshot};

use super::desktop::Viewer;
use super::fault::Fault;
use super::run::Order;
use super::system;

/// A picture that lies there now; its size in pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub file: PathBuf,
    pub width: u16,
    pub height: u16,
}

/// Why there is no file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unkept {
    /// The other side could not be told: the right is not in force, too many were kept at once, or the session is over.
    Untold,
    /// Nothing was shown yet.
    NoPicture,
    Unwritten(Fault),
}

/// A file that was made for a picture, and is written through this alone: what lies under its name later may be another's.
#[derive(Debug)]
pub struct Place {
    pub file: PathBuf,
    pub opened: File,
}

/// A new and empty file that nobody else on this computer can read: somebody's screen, or receipt, will be in it.
///
/// # Errors
/// As [`File::create_new`].
pub fn new_file(file: &Path) -> io::Result<File> {
    system::private(fs::OpenOptions::new().write(true).create_new(true)).open(file)
}

/// Keeps what `viewer` shows at this moment in the new and empty file that `make` makes.
///
/// # Errors
/// [`Unkept`]. Then there is no file.
pub async fn keep(
    orders: mpsc::Sender<Order>,
    viewer: Viewer,
    make: impl FnOnce() -> Result<Place, Fault> + Send + 'static,
) -> Result<Kept, Unkept> {
    let png = tokio::task::spawn_blocking(move || viewer.png()).await;
    let (png, width, height) = png.ok().and_then(Result::ok).ok_or(Unkept::NoPicture)?;
    let file = in_order(&orders, png, make).await?;
    Ok(Kept { file, width, height })
}

async fn in_order(
    orders: &mpsc::Sender<Order>,
    png: Vec<u8>,
    make: impl FnOnce() -> Result<Place, Fault> + Send + 'static,
) -> Result<PathBuf, Unkept> {
    let length = png.len();
    let place = off_thread(move || make()?.filled(&vec![0; length])).await?;
    let (leave, answer) = oneshot::channel();
    let _ = orders.send(Order::KeepPicture(leave)).await;
    if !matches!(answer.await, Ok(true)) {
        off_thread(|| place.given_up()).await?;
        return Err(Unkept::Untold);
    }
    let file = off_thread(move || place.filled(&png)).await?.file;
    let _ = orders.send(Order::PictureKept(file.display().to_string())).await;
    Ok(file)
}

async fn off_thread<T: Send + 'static>(
    act: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Unkept> {
    let failed = |why: String| Unkept::Unwritten(Fault::System { what: "a picture", why });
    let done = tokio::task::spawn_blocking(act).await;
    done.map_err(|why| failed(why.to_string()))?.map_err(Unkept::Unwritten)
}

impl Place {
    /// On the disk; where that fails there is no file.
    fn filled(mut self, bytes: &[u8]) -> Result<Self, Fault> {
        let written = self.opened.rewind().and_then(|()| self.opened.write_all(bytes));
        match written.and_then(|()| self.opened.sync_all()) {
            Ok(()) => Ok(self),
            Err(why) => {
                let fault = Fault::CannotWrite { file: self.file.clone(), why: why.to_string() };
                self.given_up().and(Err(fault))
            }
        }
    }

    fn given_up(self) -> Result<(), Fault> {
        let fault =
            |why: io::Error| Fault::CannotWrite { file: self.file.clone(), why: why.to_string() };
        // Another's, which took its place meanwhile, stays.
        if system::has_name(&self.opened, &self.file) {
            fs::remove_file(&self.file).map_err(fault)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Keeping = tokio::task::JoinHandle<Result<PathBuf, Unkept>>;

    /// Begins to keep one there; what it asks of the session.
    fn begun(file: &Path) -> (Keeping, mpsc::Receiver<Order>) {
        let (orders, asked) = mpsc::channel(4);
        let file = file.to_owned();
        let make = move || {
            let opened = new_file(&file).map_err(|_| Fault::NoHome)?;
            Ok(Place { file, opened })
        };
        (tokio::spawn(async move { in_order(&orders, b"PNG".to_vec(), make).await }), asked)
    }

    /// Keeps one, as a loop that gives leave or does not; what it was asked, and whether the picture was there by then.
    async fn kept(
        folder: &Path,
        leave: Option<bool>,
    ) -> (Result<PathBuf, Unkept>, Vec<(String, bool)>) {
        let file = folder.join("picture.png");
        let (keeping, mut asked) = begun(&file);
        let mut told = Vec::new();
        while let Some(order) = asked.recv().await {
            let is_there = fs::read(&file).is_ok_and(|bytes| bytes == b"PNG");
            match order {
                Order::KeepPicture(answer) => {
                    told.push(("may it be kept".to_owned(), is_there));
                    if let Some(leave) = leave {
                        answer.send(leave).unwrap();
                    }
                }
                Order::PictureKept(at) => told.push((at, is_there)),
                Order::Act(_) | Order::Customer(_) | Order::Report(_) => panic!("{order:?}"),
            }
        }
        (keeping.await.unwrap(), told)
    }

    #[tokio::test]
    async fn t27_s95_no_picture_is_written_before_the_other_side_is_told_and_then_its_place_is_recorded()
     {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("picture.png");
        for untold in [Some(false), None] {
            let (kept, told) = kept(folder.path(), untold).await;
            assert_eq!(kept, Err(Unkept::Untold));
            assert_eq!(told, [("may it be kept".to_owned(), false)]);
            assert!(!file.exists(), "it would be known to nobody");
        }
        let (kept, told) = kept(folder.path(), Some(true)).await;
        assert_eq!(kept, Ok(file.clone()));
        let at = file.display().to_string();
        assert_eq!(told, [("may it be kept".to_owned(), false), (at, true)]);
    }

    /// T38, T39: what another program puts under the name meanwhile is neither written over nor taken away.
    #[tokio::test]
    async fn t38_t39_whoever_takes_the_name_before_the_picture_is_there_gets_nothing_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let (file, own) = (folder.path().join("picture.png"), folder.path().join("own"));
        for leave in [true, false] {
            let _ = fs::remove_file(&file);
            fs::write(&own, "his own").unwrap();
            let (keeping, mut asked) = begun(&file);
            let Some(Order::KeepPicture(answer)) = asked.recv().await else { panic!("not asked") };
            fs::rename(&own, &file).unwrap();
            answer.send(leave).unwrap();
            while asked.recv().await.is_some() {}
            assert_eq!(keeping.await.unwrap().is_ok(), leave);
            assert_eq!(fs::read(&file).unwrap(), b"his own", "leave: {leave}");
        }
    }

    /// S7, S95: the customer, both records and the receipt have no picture that nobody has.
    #[tokio::test]
    async fn s95_a_picture_that_cannot_be_written_is_told_to_nobody_and_takes_no_other_files_place() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("picture.png");
        fs::write(&file, "of before").unwrap();
        let (unkept, told) = kept(folder.path(), Some(true)).await;
        assert_eq!(unkept, Err(Unkept::Unwritten(Fault::NoHome)));
        assert_eq!(told, [], "nobody was told of one");
        assert_eq!(fs::read(&file).unwrap(), b"of before");
    }

    /// T68: the other side's screen lies open to nobody else on this computer.
    #[cfg(unix)]
    #[test]
    fn t68_a_file_for_a_picture_is_its_owners_alone_and_never_another_that_is_there() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("picture.png");
        let made = new_file(&file).unwrap();
        assert_eq!(made.metadata().unwrap().permissions().mode() & 0o077, 0);
        assert_eq!(new_file(&file).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    }
}
