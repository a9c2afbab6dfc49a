//! Links libvpx's archive where the system has one, so that `vp8/memory.rs` can take
//! the place of its allocator. Elsewhere the shared library serves, with its own.

use std::path::PathBuf;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=VPX_LIB_DIR");
    println!("cargo:rustc-check-cfg=cfg(libvpx_archive)");
    if let Some(folder) = folder_of_archive() {
        println!("cargo:rustc-cfg=libvpx_archive");
        println!("cargo:rustc-link-search=native={}", folder.display());
        println!("cargo:rustc-link-lib=static=vpx");
        println!("cargo:rustc-link-lib=m");
    }
}

/// Where `libvpx.a` lies; `None` when another machine's code is built, or another system's than Linux.
fn folder_of_archive() -> Option<PathBuf> {
    let of = |name| std::env::var(name).ok();
    if of("HOST") != of("TARGET") || of("CARGO_CFG_TARGET_OS").as_deref() != Some("linux") {
        return None;
    }
    if let Some(folder) = of("VPX_LIB_DIR") {
        return Some(PathBuf::from(folder)).filter(|folder| folder.join("libvpx.a").exists());
    }
    let asked = Command::new("cc").arg("-print-file-name=libvpx.a").output().ok()?;
    let path = PathBuf::from(String::from_utf8(asked.stdout).ok()?.trim());
    // A compiler that knows no such file gives the bare name back.
    path.parent().filter(|folder| folder.is_absolute() && path.exists()).map(Into::into)
}
