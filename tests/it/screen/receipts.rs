//! A receipt's code as a telephone sees it: not the modules that were drawn from, the page's own pixels.

use super::*;
use crate::vault::receipts::receipt_among;
use chevet::journal::receipt::Receipt;
use chevet::journal::receipt::qr;
use chevet::screen::bridge::Snapshot;
use chevet::visit::event::PatientReceipt;

/// What `rqrr` reads off the page, where it finds one code.
fn read_off(picture: &Snapshot) -> Vec<u8> {
    let (width, height) = (picture.width as usize, picture.height as usize);
    let grey = |x: usize, y: usize| {
        let pixel = &picture.rgba[4 * (y * width + x)..][..3];
        (pixel.iter().map(|&part| u32::from(part)).sum::<u32>() / 3) as u8
    };
    let mut page = rqrr::PreparedImage::prepare_from_greyscale(width, height, grey);
    let grids = page.detect_grids();
    assert_eq!(grids.len(), 1, "{width}x{height}");
    let mut read = Vec::new();
    grids[0].decode_to(&mut read).expect("decoded");
    read
}

#[test]
fn the_code_of_a_million_rows_is_read_off_the_page() {
    let (window, _touches) = window();
    let (receipt, key) = receipt_among(1_000_000, 777_777);
    let payload = receipt.to_cbor().expect("small");
    let code = qr(&payload).expect("it fits");
    let dark = code.to_colors().into_iter().map(|module| module == qrcode::Color::Dark).collect();
    let on_screen = PatientReceipt { sheet: receipt.printed().expect("a sheet"), side: code.width(), dark };
    for (width, height) in SIZES {
        window.set_size(width, height);
        show(&window, &visit(room(Room::Receipt(Box::new(on_screen.clone())))));
        let picture = snapshot(&window).expect("a picture");
        keep("receipt-of-a-million", &picture);
        let read = read_off(&picture);
        assert_eq!(read, payload, "{width}x{height}");
        let back = Receipt::read(&read).expect("a receipt");
        assert!(back.verify(&key).is_ok_and(|proven| proven.head.size == 1_000_000));
    }
}
