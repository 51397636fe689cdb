//! Boards that have nothing of their own to be named after have different names, and keep them.

use serde_json::Value;
use uboot_env::Format;

use super::uboot_board::UBootBoard;

/// What boot scripts set on any board without its own.
const PLACEHOLDER: &str = "00:00:23:34:45:66";

fn board(boot: &str) -> UBootBoard {
    let board = UBootBoard::new(Format::Redundant, "redundant-only");
    board.save_environment(&[("ethaddr", PLACEHOLDER)]);
    board.boot(boot);
    board
}

fn name(board: &UBootBoard) -> Value {
    let restored = board.run(&["restore"]);
    assert_eq!(restored.code, 0, "{restored:?}");
    board.board.runtime_identity()["board"].clone()
}

#[test]
fn two_boards_with_one_placeholder_have_two_names_and_keep_them() {
    // The kernel's boot IDs are random UUIDs.
    let boards = [
        board("0f1c6a52-6f0b-4bd5-9f5e-0a3f5a3d7c11"),
        board("7be0b0c4-52d8-4f3a-8a57-5d0b7a1c9e22"),
    ];
    let names = boards.each_ref().map(name);
    assert_ne!(names[0], names[1]);
    for (board, first) in boards.iter().zip(&names) {
        board.boot("d1d3b1a0-0000-4000-8000-000000000001");
        assert_eq!(name(board), *first, "after a boot");
        let _daemon = board.start();
        assert_eq!(board.status_until(|_| true)["board"], *first, "and with the daemon");
    }
}
