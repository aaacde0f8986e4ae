//! Verirun.
