//! Opening a device as the kind of storage that it is.

use std::fs::File;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use super::error::Error;
use super::file::PlainFile;
use super::flash::Flash;
use super::mtd::MtdDevice;
use super::root::under;

/// Opens `device` of the system at `root`: a character device is flash, all else a plain file or
/// block device.
pub(crate) fn open(root: &Path, device: &str) -> Result<Box<dyn Flash>, Error> {
    let unreadable = |error| Error::Unreadable { path: device.to_owned(), error };
    let path = under(root, device);
    let file = File::open(&path).map_err(unreadable)?;
    if !file.metadata().map_err(unreadable)?.file_type().is_char_device() {
        return Ok(Box::new(PlainFile::new(&path, file).map_err(unreadable)?));
    }
    let mtd = MtdDevice::new(&path, file).map_err(unreadable)?;
    if !mtd.is_nor() {
        return Err(Error::UnsupportedFlash { device: device.to_owned(), kind: mtd.kind() });
    }
    Ok(Box::new(mtd))
}
