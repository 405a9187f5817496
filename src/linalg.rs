//! Small dense linear algebra on the host, in f64, row-major.
