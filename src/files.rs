//! Files that only their owner may read, whatever the umask, and files that others placed: read only if they are regular
//! and no larger than expected. Permissions exist on Unix alone; elsewhere files are as the system makes them.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// What the owner may do with a file of ours: read and write it. Nobody else may do anything.
#[cfg(unix)]
const FILE_MODE: u32 = 0o600;
/// The same for a folder, which its owner may also enter.
#[cfg(unix)]
const FOLDER_MODE: u32 = 0o700;
/// The permissions of anybody but the owner.
#[cfg(unix)]
const OTHERS: u32 = 0o077;
/// Of these, the permission to change.
#[cfg(unix)]
const OTHERS_WRITE: u32 = 0o022;

/// Why a file that somebody placed cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A folder, a pipe, a device or a socket.
    #[error("is not a regular file")]
    NotRegular,
    /// Larger than the caller allows.
    #[error("is larger than {0} KiB")]
    TooLarge(u64),
    /// A link by which it lies in another folder.
    #[error("leads out of the folder")]
    Outside,
    /// The system refuses.
    #[error("cannot be read ({})", .0.kind())]
    System(#[from] io::Error),
}

/// Opens a file for writing, created or emptied, that only its owner can read from the first byte on. What is no regular
/// file, such as `/dev/null`, keeps its permissions.
///
/// # Errors
/// It cannot be opened, or an existing one belongs to somebody else and others may read it.
pub fn create_private(path: &Path) -> io::Result<File> {
    // Emptied only after nobody else can read it any more: an existing file keeps its content if that fails.
    let file = restricted(OpenOptions::new().write(true).create(true).truncate(false)).open(path)?;
    if file.metadata()?.is_file() {
        restrict(&file)?;
        file.set_len(0)?;
    }
    Ok(file)
}

/// Writes a whole file that only its owner can read.
///
/// # Errors
/// As [`create_private`], and if it cannot be written.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    create_private(path)?.write_all(bytes)
}

/// The folder that a file lies in, also of a bare name.
#[must_use]
pub fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Replaces a file as a whole or not at all; a link stays a link. Owner and permissions stay. Only its owner can read a new
/// file, and that is the folder's owner, so that a service can read what root writes for it.
///
/// # Errors
/// The folder cannot be written to, or the owner cannot be kept; then the file is as it was.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_with(path, bytes, 0o777)
}

/// As [`replace`], of a file with secrets: whatever it was before, only its owner and its group can read it afterwards.
///
/// # Errors
/// As [`replace`].
pub fn replace_secret(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_with(path, bytes, 0o770)
}

#[cfg_attr(not(unix), allow(unused_variables, reason = "permissions exist on Unix alone"))]
fn replace_with(path: &Path, bytes: &[u8], allowed: u32) -> io::Result<()> {
    let path = if path.exists() { path.canonicalize()? } else { path.to_owned() };
    let folder = folder_of(&path);
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    #[cfg(unix)]
    take_after(file.as_file(), &path, folder, allowed)?;
    file.as_file().sync_all()?;
    file.persist(&path)?;
    File::open(folder)?.sync_all()
}

/// Gives a new file the owner and permissions of the one in whose place it comes, as far as they are allowed, or the owner of
/// the folder.
#[cfg(unix)]
fn take_after(file: &File, path: &Path, folder: &Path, allowed: u32) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
    let known = path.metadata();
    let model = known.as_ref().map_or_else(|_| folder.metadata(), |known| Ok(known.clone()))?;
    let own = file.metadata()?;
    if (own.uid(), own.gid()) != (model.uid(), model.gid()) && (known.is_ok() || own.uid() == 0) {
        fchown(file, Some(model.uid()), Some(model.gid()))?;
    }
    known.map_or(Ok(()), |known| file.set_permissions(PermissionsExt::from_mode(known.mode() & allowed)))
}

/// Writes a new file as a whole, unless there is something of that name, which stays as it is; true if it was written. Only its
/// owner can read it, and that is the folder's owner, so that a service can read what root writes for it.
///
/// # Errors
/// The folder cannot be written to.
pub fn create_once(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    let folder = folder_of(path);
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    #[cfg(unix)]
    take_after(file.as_file(), path, folder, 0o700)?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Ok(_) => File::open(folder)?.sync_all().map(|()| true),
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error.error),
    }
}

/// Opens a new file that only its owner can read.
///
/// # Errors
/// It cannot be created, or there is something of that name.
pub fn new_private(path: &Path) -> io::Result<File> {
    restricted(OpenOptions::new().write(true).create_new(true)).open(path)
}

/// Opens a file for reading and appending. A new one can be read by its owner only; an existing one stays as it is.
///
/// # Errors
/// It cannot be opened.
pub fn append_private(path: &Path) -> io::Result<File> {
    restricted(OpenOptions::new().read(true).append(true).create(true)).open(path)
}

/// Creates an empty file that only its owner can read, unless there is something of that name, which is not touched: not
/// even opened, because a program that closes a file of SQLite's gives up the locks that it has on it.
///
/// # Errors
/// It cannot be created.
pub fn create_private_if_missing(path: &Path) -> io::Result<()> {
    if path.symlink_metadata().is_ok() {
        return Ok(());
    }
    match new_private(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        other => other.map(drop),
    }
}

/// Creates a folder, and those above it, that only its owner can enter; existing ones stay as they are.
///
/// # Errors
/// It cannot be created.
pub fn create_folder_private(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, FOLDER_MODE);
    builder.create(path)
}

/// Reads a regular file of at most so many bytes. A pipe or a device is refused at once, without waiting for what it holds.
///
/// # Errors
/// See [`ReadError`].
pub fn read_regular(path: &Path, bytes_max: u64) -> Result<Vec<u8>, ReadError> {
    let file = open_regular(path)?;
    let mut bytes = Vec::new();
    file.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= bytes_max) {
        Ok(bytes)
    } else {
        Err(ReadError::TooLarge(bytes_max / 1024))
    }
}

/// Opens a regular file for reading.
///
/// # Errors
/// See [`ReadError`].
pub fn open_regular(path: &Path) -> Result<File, ReadError> {
    let mut options = OpenOptions::new();
    options.read(true);
    // Opening a pipe waits for its writer otherwise.
    #[cfg(unix)]
    if let Ok(flags) = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()) {
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags);
    }
    let file = options.open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(ReadError::NotRegular) }
}

/// Where a path really leads, if that is inside a folder. The folder's own path must be canonical.
///
/// # Errors
/// A link leads out of the folder; there is no such file.
pub fn inside(folder: &Path, path: &Path) -> Result<PathBuf, ReadError> {
    let real = path.canonicalize()?;
    if real.starts_with(folder) { Ok(real) } else { Err(ReadError::Outside) }
}

/// Whether others than the owner may do anything with it; `None` if there is no such file or the system does not say.
#[must_use]
pub fn is_open_to_others(path: &Path) -> Option<bool> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        Some(std::fs::metadata(path).ok()?.permissions().mode() & OTHERS != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}

/// Whether others than the owner may put files into a folder, replace what is in it, or take it away; `None` if there is no
/// such folder or the system does not say.
#[must_use]
pub fn is_writable_by_others(folder: &Path) -> Option<bool> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        Some(std::fs::metadata(folder).ok()?.permissions().mode() & OTHERS_WRITE != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = folder;
        None
    }
}

fn restricted(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(FILE_MODE);
    }
    options
}

/// Takes the permissions of others from a file that was there before.
fn restrict(file: &File) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mut permissions = file.metadata()?.permissions();
        if permissions.mode() & OTHERS != 0 {
            permissions.set_mode(FILE_MODE);
            file.set_permissions(permissions)?;
        }
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).expect("there").permissions().mode() & 0o777
    }

    #[test]
    fn a_file_that_others_could_read_is_theirs_no_longer_once_it_is_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("old.csv");
        std::fs::write(&path, "longer than before").expect("written");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).expect("opened up");
        assert_eq!(is_open_to_others(&path), Some(true));
        write_private(&path, b"short").expect("written");
        assert_eq!((mode(&path), std::fs::read(&path).expect("read")), (0o600, b"short".to_vec()));
        assert_eq!(is_open_to_others(&path), Some(false));
    }

    #[test]
    fn what_is_no_file_keeps_its_permissions() {
        let before = mode(Path::new("/dev/null"));
        write_private(Path::new("/dev/null"), b"gone").expect("written");
        assert_eq!(mode(Path::new("/dev/null")), before);
    }

    #[test]
    fn an_existing_file_and_an_existing_folder_are_left_as_they_are() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).expect("opened up");
        let path = folder.path().join("there.db");
        std::fs::write(&path, "content").expect("written");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).expect("opened up");
        create_private_if_missing(&path).expect("there");
        create_folder_private(folder.path()).expect("there");
        assert_eq!((mode(&path), std::fs::read(&path).expect("read")), (0o640, b"content".to_vec()));
        assert_eq!(mode(folder.path()), 0o755);
        create_folder_private(&folder.path().join("a/b")).expect("made");
        assert_eq!((mode(&folder.path().join("a")), mode(&folder.path().join("a/b"))), (0o700, 0o700));
    }

    #[test]
    fn a_replaced_file_keeps_its_permissions_and_one_with_secrets_is_closed_to_others() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, link) = (folder.path().join("file"), folder.path().join("link"));
        replace(&path, b"one").expect("written");
        assert_eq!(mode(&path), 0o600, "a new one is its owner's");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).expect("opened up");
        std::os::unix::fs::symlink(&path, &link).expect("a link");
        replace(&link, b"two").expect("written");
        assert_eq!((mode(&path), std::fs::read(&path).expect("read")), (0o644, b"two".to_vec()));
        assert!(link.symlink_metadata().expect("there").is_symlink());
        replace_secret(&path, b"three").expect("written");
        assert_eq!((mode(&path), std::fs::read(&path).expect("read")), (0o640, b"three".to_vec()));
        assert!(replace(&folder.path().join("none/file"), b"").is_err());
        assert_eq!(std::fs::read_dir(folder.path()).expect("read").count(), 2, "nothing is left over");
    }

    #[test]
    fn a_pipe_a_folder_and_a_large_file_are_refused_at_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs");
        assert!(made.success());
        assert!(matches!(read_regular(&pipe, 10), Err(ReadError::NotRegular)));
        assert!(matches!(read_regular(folder.path(), 10), Err(ReadError::NotRegular)));
        let file = folder.path().join("file");
        std::fs::write(&file, "x".repeat(1025)).expect("written");
        assert!(matches!(read_regular(&file, 1024), Err(ReadError::TooLarge(1))));
        assert_eq!(read_regular(&file, 1025).expect("read").len(), 1025);
    }
}
