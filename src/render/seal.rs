//! How a child gives up everything it does not need: rlimits, Landlock, seccomp.
