//! The virtual card before judges nobody here wrote: pcscd, OpenSC and OpenSSL, all from Debian.

use crate::desk::Desk;
use crate::desk::with_card;
use chevet::sandbox::cps::Faults;
use std::process::Command;
use std::process::Output;

fn run(command: &mut Command) -> (bool, String) {
    let Output { status, stdout, stderr } = command.output().expect("a program that exists can be started");
    let said = [stdout, stderr].concat();
    (status.success(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn dump() {
    let desk = Desk::open();
    let card = desk.insert("nurse");
    let (ok, said) = run(desk.command("pkcs15-tool", "opensc").args(["--dump"]));
    println!("{said} {:?}", card.counters());
    assert!(ok);
    let (ok, said) = run(desk.command("pkcs11-tool", "opensc").env("OPENSC_DEBUG","9").args(["--login", "--pin", "1234", "-O"]));
    println!("{said} {:?}", card.counters());
    assert!(ok);
}
