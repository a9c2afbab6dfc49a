//! Pictures of the other side's screen that a surface keeps (S7, S22).
//!
//! Decides the order of it: its place is taken, with nothing of the picture in it, so that nobody is told of one that
//! cannot be kept; the other side is told; the picture is put there (T27); this end's record names it (S95). What may
//! not be told is not kept.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tokio::sync::{mpsc, oneshot};

use super::desktop::Viewer;
use super::fault::Fault;
use super::run::Order;

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

/// Keeps what `viewer` shows at this moment where `write` puts as many bytes, none of which are the picture's yet; it
/// says where.
///
/// # Errors
/// [`Unkept`].
pub async fn keep(
    orders: mpsc::Sender<Order>,
    viewer: Viewer,
    write: impl FnOnce(&[u8]) -> Result<PathBuf, Fault> + Send + 'static,
) -> Result<Kept, Unkept> {
    let png = tokio::task::spawn_blocking(move || viewer.png()).await;
    let (png, width, height) = png.ok().and_then(Result::ok).ok_or(Unkept::NoPicture)?;
    let file = in_order(&orders, png, write).await?;
    Ok(Kept { file, width, height })
}

async fn in_order(
    orders: &mpsc::Sender<Order>,
    png: Vec<u8>,
    write: impl FnOnce(&[u8]) -> Result<PathBuf, Fault> + Send + 'static,
) -> Result<PathBuf, Unkept> {
    let failed = |why: String| Unkept::Unwritten(Fault::System { what: "a picture", why });
    let nothing = vec![0; png.len()];
    let taken = tokio::task::spawn_blocking(move || write(&nothing)).await;
    let file = taken.map_err(|why| failed(why.to_string()))?.map_err(Unkept::Unwritten)?;
    let (leave, answer) = oneshot::channel();
    let _ = orders.send(Order::KeepPicture(leave)).await;
    let may_be_kept = matches!(answer.await, Ok(true));
    let place = file.clone();
    let put = move || {
        if may_be_kept {
            return put(&place, &png);
        }
        let _ = fs::remove_file(&place);
        Ok(())
    };
    let done = tokio::task::spawn_blocking(put).await.map_err(|why| failed(why.to_string()))?;
    if !may_be_kept {
        return Err(Unkept::Untold);
    }
    if let Err(why) = done {
        return Err(Unkept::Unwritten(Fault::CannotWrite { file, why: why.to_string() }));
    }
    let _ = orders.send(Order::PictureKept(file.display().to_string())).await;
    Ok(file)
}

/// Into a file that is there and as long.
fn put(file: &Path, png: &[u8]) -> io::Result<()> {
    let mut opened = OpenOptions::new().write(true).open(file)?;
    opened.write_all(png)?;
    opened.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// Keeps one, as a loop that gives leave or does not; what it was asked, and whether the picture was there by then.
    async fn kept(
        folder: &Path,
        leave: Option<bool>,
    ) -> (Result<PathBuf, Unkept>, Vec<(String, bool)>) {
        let (orders, mut asked) = mpsc::channel(4);
        let file = folder.join("picture.png");
        let target = file.clone();
        let keeping = tokio::spawn(async move {
            let write = move |bytes: &[u8]| {
                let written = fs::File::create_new(&target).and_then(|mut new| new.write_all(bytes));
                written.map(|()| target).map_err(|_| Fault::NoHome)
            };
            in_order(&orders, b"PNG".to_vec(), write).await
        });
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
}
