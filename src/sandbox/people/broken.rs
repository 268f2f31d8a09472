//! Documents that should not be believed: each is one thing that a reader must survive and name.

use crate::sandbox::people::Content;
use crate::sandbox::people::Paper;
use std::sync::Arc;

/// Spoils healthy documents, in this order; the rest of the list stays healthy.
pub fn spoil(papers: &mut [Paper]) {
    let spoilers: [fn(&mut Paper); 6] = [truncate, strange, wrong_size, wrong_hash, huge, unknown_label];
    for (paper, spoiler) in papers.iter_mut().zip(spoilers) {
        // Readable by a nurse, so that it is the bytes and not the matrix that stop it.
        paper.type_code = "11505-5";
        paper.class_code = "10";
        paper.type_label = "CR d’acte thérapeutique (autre)";
        spoiler(paper);
    }
}

/// A CDA that ends in the middle of an element; its size and hash are those of what is left.
fn truncate(paper: &mut Paper) {
    paper.title = TRUNCATED.to_owned();
    if let Content::Bytes(bytes) = &paper.content {
        let half = bytes.len() / 2;
        paper.replace_content(bytes[..half].to_vec());
    }
}

fn strange(paper: &mut Paper) {
    paper.title = STRANGE.to_owned();
    paper.format_code = "urn:example:format:9999";
    paper.mime = "application/x-inconnu";
    paper.replace_content((0..4096_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect());
}

fn wrong_size(paper: &mut Paper) {
    paper.title = WRONG_SIZE.to_owned();
    paper.claimed_size += 1;
}

fn wrong_hash(paper: &mut Paper) {
    paper.title = WRONG_HASH.to_owned();
    paper.claimed_sha1 = Some([0x5a; 20]);
}

fn huge(paper: &mut Paper) {
    paper.title = HUGE.to_owned();
    paper.content = Content::Zeros(HUGE_BYTES);
    paper.claimed_size = HUGE_BYTES;
    paper.claimed_sha1 = None;
}

/// A confidentiality that nobody knows: denied (P5).
fn unknown_label(paper: &mut Paper) {
    paper.title = UNKNOWN_LABEL.to_owned();
    paper.labels = vec!["N", "ZONE_51"];
}

impl Paper {
    /// New bytes, and the truth about them.
    pub fn replace_content(&mut self, bytes: Vec<u8>) {
        self.claimed_size = bytes.len() as u64;
        self.claimed_sha1 = Some(crate::sandbox::people::sha1(&bytes));
        self.content = Content::Bytes(Arc::from(bytes));
    }
}

pub const TRUNCATED: &str = "Document tronqué";
pub const STRANGE: &str = "Document de format inconnu";
pub const WRONG_SIZE: &str = "Document plus court qu’annoncé";
pub const WRONG_HASH: &str = "Document altéré";
pub const HUGE: &str = "Document de 200 Mo";
pub const UNKNOWN_LABEL: &str = "Document à confidentialité inconnue";
const HUGE_BYTES: u64 = 200 * 1_000_000;
