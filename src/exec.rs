//! Executors: a program is loaded once and replayed.
