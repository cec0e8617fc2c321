//! A small file system, removed after the test. Only root can make one.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A mounted one.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts one of that many megabytes over a folder. `None` where that is not allowed.
    pub fn mount(folder: &Path, megabytes: u32) -> Option<Self> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "tmpfs"])
            .arg(folder)
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        mounted.then(|| Self(folder.to_owned()))
    }

    /// Makes it larger.
    pub fn enlarge(&self, megabytes: u32) {
        let done = Command::new("mount").args(["-o", &format!("remount,size={megabytes}m")]).arg(&self.0).status();
        assert!(done.expect("mount runs").success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
