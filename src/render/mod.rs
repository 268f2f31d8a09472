//! Untrusted bytes → rows and pixels, in a sealed child process. Embedded stylesheets are never run.
//!
//! - `cda` HL7 CDA R2 levels 1 and 3 · `pdf` · `picture` · `text`
//! - `worker` the child: no network, no files, no new privileges, killed on time-out or card-out
