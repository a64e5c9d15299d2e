//! Events in, cells and scenes out.
