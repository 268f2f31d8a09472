//! What comes on paper, as a foreign reader of PDF sees it (poppler), and as a telephone sees its code.

use chevet::paper::Code;
use chevet::paper::Picture;
use chevet::paper::Sheet;
use chevet::paper::press;
use chevet::record::reading::Cell;
use chevet::record::reading::Page;
use chevet::record::reading::Reading;
use chevet::record::reading::Row;
use chevet::record::reading::RowKind;
use chevet::record::reading::Run;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use tempfile::TempDir;

/// A PDF on the disk.
pub struct Printout {
    folder: TempDir,
    file: PathBuf,
}

impl Printout {
    pub fn new(pdf: &[u8]) -> Printout {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("sheet.pdf");
        std::fs::write(&file, pdf).expect("written");
        Printout { folder, file }
    }

    /// Page by page, parted by form feeds.
    pub fn text(&self) -> String {
        let out = Command::new("pdftotext").args(["-layout"]).arg(&self.file).arg("-").output();
        let out = out.expect("Debian's poppler-utils");
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).expect("text")
    }

    /// The words alone, in order.
    pub fn words(&self) -> String {
        self.text().split_whitespace().collect::<Vec<&str>>().join(" ")
    }

    /// A page, from 1, in grey.
    pub fn picture(&self, page: u32, dots_per_inch: u32) -> image::GrayImage {
        let (page, dots, to) = (page.to_string(), dots_per_inch.to_string(), self.folder.path().join("page"));
        let options = ["-png", "-singlefile", "-f", &page, "-l", &page, "-r", &dots];
        let status = Command::new("pdftoppm").args(options).arg(&self.file).arg(&to).status();
        assert!(status.expect("Debian's poppler-utils").success());
        image::open(Path::new(&to).with_extension("png")).expect("a picture").to_luma8()
    }
}

fn signs() -> Vec<u8> {
    std::fs::read("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf").expect("Debian's fonts-dejavu-core")
}

fn row(kind: RowKind, text: &str) -> Row {
    Row { kind, level: 0, text: vec![Run::plain(text)], cells: vec![] }
}

fn sheet(rows: Vec<Row>) -> Sheet {
    let header = vec![("Patient".to_owned(), "ÉPREUVE Zoé".to_owned())];
    let reading = Reading { header, rows, ..Reading::default() };
    Sheet { title: "Compte rendu d’imagerie".into(), reading, code: None, foot: "imprimé le 29/11/2026".into() }
}

fn page(width: u32, height: u32, pixel: impl Fn(u32, u32) -> [u8; 4]) -> Page {
    let pixels: Vec<u8> =
        (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).flat_map(|(x, y)| pixel(x, y)).collect();
    Page { width, height, pixels: Arc::from(pixels) }
}

#[test]
fn every_word_is_on_paper_with_its_accents_and_every_page_has_its_number() {
    let cells = |texts: [&str; 3]| Row {
        cells: texts.map(|text| Cell { text: vec![Run::plain(text)], columns: 1, rows: 1 }).to_vec(),
        ..row(RowKind::TableRow, "")
    };
    let mut rows = vec![
        row(RowKind::Heading, "Évolution"),
        row(RowKind::Paragraph, "Plaie propre, 38,5 °C à 7 h, SpO₂ ≥ 95 %, 5 µg/kg, œdème → repos, ☑ fait."),
        row(RowKind::Bullet, "Paracétamol"),
        cells(["Natrémie", "139", "mmol/L"]),
        cells(["Kaliémie", "4,1", "mmol/L"]),
    ];
    rows.extend((0..120).map(|number| row(RowKind::Paragraph, &format!("ligne numéro {number}"))));
    let made = press(&sheet(rows), vec![], Some(&signs())).expect("pressed");
    let text = Printout::new(&made.bytes).text();
    let words = text.split_whitespace().collect::<Vec<&str>>().join(" ");
    for expected in [
        "Compte rendu d’imagerie Patient ÉPREUVE Zoé Évolution",
        "Plaie propre, 38,5 °C à 7 h, SpO₂ ≥ 95 %, 5 μg/kg, œdème → repos, ☑ fait. • Paracétamol",
        "Natrémie 139 mmol/L Kaliémie 4,1 mmol/L",
    ] {
        assert!(words.contains(expected), "{expected}\n{words}");
    }
    let places: Vec<usize> =
        (0..120).map(|number| words.find(&format!("numéro {number} ")).expect("each line")).collect();
    assert!(places.is_sorted());
    let pages: Vec<&str> = text.split('\u{c}').filter(|page| !page.trim().is_empty()).collect();
    assert_eq!(pages.len(), made.pages as usize);
    assert!(pages.len() > 2);
    for (at, page) in pages.iter().enumerate() {
        assert!(page.contains(&format!("{}/{}", at + 1, pages.len())) && page.contains("imprimé le"), "{page}");
    }
}

#[test]
fn a_picture_fills_its_page_and_stays_what_it_was() {
    let grey = page(200, 280, |x, _| if x < 100 { [40, 40, 40, 255] } else { [220, 220, 220, 255] });
    let red = page(280, 200, |_, y| if y < 100 { [200, 0, 0, 255] } else { [255, 255, 255, 255] });
    let pictures = vec![Picture::new(&grey, 0).expect("grey"), Picture::new(&red, 1).expect("red")];
    let bare = Sheet { reading: Reading::default(), ..sheet(vec![]) };
    let made = press(&bare, pictures, None).expect("pressed");
    assert_eq!(made.pages, 2, "no page of words before pictures that say it all");
    let printout = Printout::new(&made.bytes);
    let first = printout.picture(1, 72);
    assert_eq!((first.get_pixel(200, 300).0, first.get_pixel(400, 300).0), ([40], [220]));
    let second = printout.picture(2, 72);
    let dark = second.get_pixel(297, 60).0[0];
    assert!((35..60).contains(&dark), "red is neither black nor white: {dark}");
    assert!(printout.words().contains("1/2") && printout.words().contains("2/2"));
}

#[test]
fn a_picture_without_its_pixels_is_refused() {
    let torn = Page { width: 10, height: 10, pixels: Arc::from(vec![0; 100]) };
    assert!(Picture::new(&torn, 0).is_err());
    assert!(Picture::new(&Page { width: 0, height: 0, pixels: Arc::from(vec![]) }, 0).is_err());
}

#[test]
fn a_code_is_read_from_paper() {
    let said = b"tlog-proof, as long as one of a million rows: ".repeat(18);
    let code = qrcode::QrCode::with_error_correction_level(&said, qrcode::EcLevel::M).expect("a code");
    let dark = code.to_colors().into_iter().map(|module| module == qrcode::Color::Dark).collect();
    let code = Some(Code { side: code.width(), dark });
    let made = press(&Sheet { code, ..sheet(vec![row(RowKind::Paragraph, "reçu")]) }, vec![], None).expect("pressed");
    assert_eq!(made.pages, 1, "on the very sheet");
    let picture = Printout::new(&made.bytes).picture(1, 300);
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let grey = |x: usize, y: usize| picture.get_pixel(x as u32, y as u32).0[0];
    let mut seen = rqrr::PreparedImage::prepare_from_greyscale(width, height, grey);
    let grids = seen.detect_grids();
    let mut out = Vec::new();
    grids.first().expect("a code").decode_to(&mut out).expect("read");
    assert_eq!(out, said);
}
