//! Whether a line is as bad as it is meant to be, by datagrams between its ends: how many are lost each way, how late an answer
//! is, and how much passes.

use crate::line::guest::Line;
use std::collections::BTreeSet;
use std::net::UdpSocket;
use std::time::Duration;
use std::time::Instant;

#[derive(Debug)]
pub struct Seen {
    /// Of a thousand, on the way there and on the way back.
    pub lost_per_mille: [usize; 2],
    /// There and back.
    pub least: Duration,
    pub usual: Duration,
    /// With twice as much offered, there and back, headers included.
    pub bits_a_second: [u64; 2],
}

impl Seen {
    /// Takes some twenty seconds.
    pub fn of(line: &Line) -> Seen {
        let ([there, back], late) = echoes(line);
        let bits_a_second = std::thread::scope(|scope| {
            let up = scope.spawn(|| flood(line, FAR, NEAR, true));
            let down = flood(line, DOWN_NEAR, DOWN_FAR, false);
            [up.join().expect("it floods"), down]
        });
        Seen { lost_per_mille: [there, back], least: late[0], usual: late[late.len() / 2], bits_a_second }
    }

    /// 200 kbit/s, 600 ms and 5 % of loss each way, as far as a sample can tell: four standard deviations of the loss, and what a
    /// machine loses that has other things to do.
    pub fn is_bad(&self) -> Result<(), String> {
        let not = |what: &str| Err(format!("this line has not the {what} of a bad one: {self:?}"));
        match self {
            seen if !seen.lost_per_mille.iter().all(|lost| (25..=150).contains(lost)) => not("loss"),
            seen if seen.least < Duration::from_millis(600) || seen.usual > Duration::from_millis(1_000) => {
                not("delay")
            }
            seen if !seen.bits_a_second.iter().all(|bits| (120_000..=206_000).contains(bits)) => not("rate"),
            _ => Ok(()),
        }
    }
}

/// How many of a thousand were lost there, and of those that arrived on the way back; and how late the others were, soonest first.
fn echoes(line: &Line) -> ([usize; 2], Vec<Duration>) {
    let far = line.far(|| socket(FAR));
    let near = line.near(|| socket(NEAR));
    let began = Instant::now();
    let (there, late) = std::thread::scope(|scope| {
        let echo = scope.spawn(|| {
            let (mut seen, mut packet) = (0, [0; 64]);
            while let Ok((length, from)) = far.recv_from(&mut packet) {
                seen += 1;
                far.send_to(&packet[..length], from).expect("it is sent");
            }
            seen
        });
        let hears = scope.spawn(|| {
            let (mut late, mut seen, mut packet) = (Vec::new(), BTreeSet::new(), [0; 64]);
            while near.recv(&mut packet).is_ok() {
                let sent = u64::from_be_bytes(packet[..8].try_into().expect("eight"));
                assert!(seen.insert(sent), "doubled");
                late.push(began.elapsed().saturating_sub(Duration::from_micros(sent)));
            }
            late.sort();
            late
        });
        for _ in 0..ECHOES {
            let mut packet = [0; 64];
            let sent = u64::try_from(began.elapsed().as_micros()).expect("a short time");
            packet[..8].copy_from_slice(&sent.to_be_bytes());
            near.send_to(&packet, FAR).expect("it is sent");
            std::thread::sleep(Duration::from_millis(15));
        }
        (echo.join().expect("it echoes"), hears.join().expect("it hears"))
    });
    assert!(there > ECHOES / 2 && late.len() > ECHOES / 2, "{there} of {ECHOES} came there, {} back", late.len());
    ([(ECHOES - there) * 1_000 / ECHOES, (there - late.len()) * 1_000 / there], late)
}

/// What passes of twice as much as should: bits a second from the first datagram that came to the last.
fn flood(line: &Line, to: &str, from: &str, is_up: bool) -> u64 {
    let (there, here) = if is_up {
        (line.far(|| socket(to)), line.near(|| socket(from)))
    } else {
        (line.near(|| socket(to)), line.far(|| socket(from)))
    };
    std::thread::scope(|scope| {
        let hears = scope.spawn(|| {
            let (mut came, mut packet) = (Vec::new(), [0; 2_000]);
            while there.recv(&mut packet).is_ok() {
                came.push(Instant::now());
            }
            came
        });
        for _ in 0..200 {
            here.send_to(&[0; 1_200], to).expect("it is sent");
            std::thread::sleep(Duration::from_millis(24));
        }
        let came = hears.join().expect("it hears");
        assert!(came.len() > 20, "{} of 200 came", came.len());
        let took = came[came.len() - 1] - came[0];
        // UDP's, IP's and Ethernet's headers are netem's bytes too.
        let bits = (came.len() - 1) as f64 * f64::from(1_200 + 8 + 20 + 14) * 8.0;
        (bits / took.as_secs_f64()) as u64
    })
}

/// It is quiet when nothing came for that long.
fn socket(at: &str) -> UdpSocket {
    let socket = UdpSocket::bind(at).expect("an address of this line");
    socket.set_read_timeout(Some(Duration::from_secs(3))).expect("a time-out above zero is valid");
    socket
}

const ECHOES: usize = 1_000;
const NEAR: &str = "192.0.2.2:7007";
const FAR: &str = "192.0.2.1:7007";
const DOWN_NEAR: &str = "192.0.2.2:7008";
const DOWN_FAR: &str = "192.0.2.1:7008";
