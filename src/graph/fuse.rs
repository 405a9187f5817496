//! Fusion of maps.
