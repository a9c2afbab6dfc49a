//! Pictures of the other side's screen that a surface keeps (S7, S22).
//!
//! Decides the order of it: the other side is told first, then there is a file (T27), then this end's record names
//! it (S95). What may not be told is not kept.

use std::path::PathBuf;

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

/// Keeps what `viewer` shows at this moment, by `write`, which says where it has put the bytes.
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
    let file = in_order(&orders, move || write(&png)).await?;
    Ok(Kept { file, width, height })
}

async fn in_order(
    orders: &mpsc::Sender<Order>,
    write: impl FnOnce() -> Result<PathBuf, Fault> + Send + 'static,
) -> Result<PathBuf, Unkept> {
    let (leave, answer) = oneshot::channel();
    let _ = orders.send(Order::KeepPicture(leave)).await;
    if !matches!(answer.await, Ok(true)) {
        return Err(Unkept::Untold);
    }
    let failed = |why: String| Unkept::Unwritten(Fault::System { what: "a picture", why });
    let written = tokio::task::spawn_blocking(write).await;
    let file = written.map_err(|why| failed(why.to_string()))?.map_err(Unkept::Unwritten)?;
    let _ = orders.send(Order::PictureKept(file.display().to_string())).await;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// Keeps one, as a loop that gives leave or does not; what it was asked, and whether a file was there by then.
    async fn kept(
        folder: &Path,
        leave: Option<bool>,
    ) -> (Result<PathBuf, Unkept>, Vec<(String, bool)>) {
        let (orders, mut asked) = mpsc::channel(4);
        let file = folder.join("picture.png");
        let target = file.clone();
        let keeping = tokio::spawn(async move {
            let write =
                move || std::fs::write(&target, "PNG").map(|()| target).map_err(|_| Fault::NoHome);
            in_order(&orders, write).await
        });
        let mut told = Vec::new();
        while let Some(order) = asked.recv().await {
            let is_there = file.exists();
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
}
