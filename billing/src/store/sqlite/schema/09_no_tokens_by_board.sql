-- A connection to the built-in broker depends on its token, not on any one of its board.
DROP INDEX live_tokens_of_a_board;
