//! Hand-written kernels of the hot ops, generic over SIMD width.
