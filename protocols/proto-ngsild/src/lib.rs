//! proto-ngsild.
