//! The build ID of this very program: it tells which debug file belongs to a crash.

use std::fs::File;
use std::io::Read;

/// The note is near the beginning, before any code.
const LOOKED_AT: usize = 4096;
/// `n_namesz` 4, `n_descsz` 20 (SHA-1), `n_type` `NT_GNU_BUILD_ID`, and the name (elf(5), "Notes").
const HEADER: [u32; 3] = [4, 20, 3];
const NAME: &[u8] = b"GNU\0";
const LENGTH: usize = 20;

/// The build ID in hexadecimal digits, as `file` and `readelf --notes` print it; "unknown" if the
/// linker has put none into the program.
pub fn build_id() -> String {
    let mut start = Vec::new();
    let read = File::open("/proc/self/exe")
        .and_then(|program| program.take(LOOKED_AT as u64).read_to_end(&mut start));
    match read.ok().and_then(|_| find(&start)) {
        Some(id) => id.iter().map(|byte| format!("{byte:02x}")).collect(),
        None => "unknown".to_owned(),
    }
}

fn find(program: &[u8]) -> Option<&[u8]> {
    let header: Vec<u8> =
        HEADER.iter().flat_map(|word| word.to_ne_bytes()).chain(NAME.iter().copied()).collect();
    let at = program.windows(header.len()).position(|window| window == header)?;
    program.get(at + header.len()..)?.get(..LENGTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_note_is_found_wherever_it_stands() {
        let note = [&[4, 0, 0, 0, 20, 0, 0, 0, 3, 0, 0, 0], NAME, &[0xAB; LENGTH]].concat();
        for before in [0, 1, 52] {
            let program = [vec![0x7F; before], note.clone(), vec![1; 9]].concat();
            assert_eq!(find(&program), Some([0xAB; LENGTH].as_slice()), "{before} bytes before it");
        }
        assert_eq!(find(&note[..note.len() - 1]), None);
        assert_eq!(find(b""), None);
    }
}
