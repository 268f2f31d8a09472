//! Every integration test, one module a room, in one binary: each binary links everything.

mod render;
