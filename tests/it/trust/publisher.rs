//! An authority's web server, on the loopback, with the faults that a network has.

use std::collections::HashMap;
use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

pub struct Publisher {
    address: SocketAddr,
    files: Arc<Mutex<HashMap<String, Vec<u8>>>>,
}

impl Publisher {
    /// Its thread ends with the test's process.
    pub fn start() -> Publisher {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound");
        let files: Arc<Mutex<HashMap<String, Vec<u8>>>> = Arc::default();
        let served = files.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let files = served.clone();
                std::thread::spawn(move || answer(stream, &files));
            }
        });
        Publisher { address, files }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn serve(&self, path: &str, bytes: Vec<u8>) {
        self.files.lock().expect("no thread has failed").insert(path.to_owned(), bytes);
    }
}

/// A client that has heard enough hangs up: writing fails then, and that is its right.
fn answer(mut stream: TcpStream, files: &Mutex<HashMap<String, Vec<u8>>>) {
    let mut asked = [0; 2_048];
    let read = stream.read(&mut asked).unwrap_or(0);
    let asked = String::from_utf8_lossy(&asked[..read]).into_owned();
    let path = asked.split(' ').nth(1).unwrap_or("").to_owned();
    let mut say = |bytes: &[u8]| stream.write_all(bytes).and_then(|()| stream.flush()).is_ok();
    let open_ended = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
    match path.as_str() {
        "/silent" => std::thread::sleep(Duration::from_secs(5)),
        "/endless" => {
            say(open_ended);
            while say(&[0; 512]) {}
        }
        "/trickle" => {
            say(open_ended);
            while say(&[0]) {
                std::thread::sleep(Duration::from_millis(150));
            }
        }
        "/elsewhere" => {
            say(b"HTTP/1.1 302 Found\r\nLocation: /fits\r\nContent-Length: 0\r\n\r\n");
        }
        "/cut" => {
            say(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nhalf");
        }
        path => match files.lock().expect("no thread has failed").get(path) {
            Some(bytes) => {
                say(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", bytes.len()).as_bytes());
                say(bytes);
            }
            None => {
                say(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
            }
        },
    }
}
