//! A hand on the window that another process moves: the tests that look at the kiosk's memory must not live in it.
//!
//! One connection a question, so that no buffer of ours outlives its answer; one line each, over a Unix socket: `press LABEL`
//! and `scroll BY` answer `yes` or `no`, `text` answers every label and value on the page as a JSON array.

use crate::screen::bridge::hand::Hand;
use std::path::Path;
use tokio::io::AsyncBufReadExt;
use tokio::io::AsyncWriteExt;
use tokio::io::BufReader;
use tokio::net::UnixListener;
use tokio::net::UnixStream;

/// A place to be reached at. Must be called inside a tokio runtime.
pub fn listen(socket: &Path) -> std::io::Result<UnixListener> {
    UnixListener::bind(socket)
}

/// Obeys whoever comes, one after the other.
pub async fn obey(listener: UnixListener, hand: Hand) {
    while let Ok((stream, _)) = listener.accept().await {
        // Whoever hangs up in the middle needs no answer.
        let _hung_up = answer(stream, &hand).await;
    }
}

async fn answer(stream: UnixStream, hand: &Hand) -> std::io::Result<()> {
    let (from, mut to) = stream.into_split();
    let mut line = String::new();
    BufReader::new(from).read_line(&mut line).await?;
    let line = line.trim_end();
    let yes_or_no = |done| if done { "yes" } else { "no" }.to_owned();
    let answer = match line.split_once(' ').unwrap_or((line, "")) {
        ("press", label) => yes_or_no(hand.press(label).await),
        ("scroll", by) => yes_or_no(hand.scroll(by.parse().unwrap_or_default()).await),
        ("text", _) => serde_json::Value::from(hand.text().await).to_string(),
        _ => "what?".to_owned(),
    };
    to.write_all(answer.as_bytes()).await?;
    to.shutdown().await
}
