//! The card's two folders and their files: SELECT and READ BINARY (ISO 7816-4 §7.1.1, §7.2.3; and the forms that real traces show).

use crate::sandbox::cps::tpdu::Answer;
use crate::sandbox::cps::tpdu::Tpdu;
use crate::sandbox::cps::tpdu::sw;
use crate::sandbox::der::tlv;

/// Who may read, and who reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    Anyone,
    /// After the PIN.
    Holder,
}

/// Where the card stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// 3F00, the IAS-ECC root application.
    Root,
    /// The PKCS#15 application: 3F00/0001 on every card that was seen.
    Holder,
}

/// A transparent file.
pub struct File {
    pub place: Place,
    pub id: u16,
    /// Short identifier, for READ BINARY without SELECT.
    pub short: Option<u8>,
    pub read: Access,
    pub content: Vec<u8>,
}

/// All files, and the one that is chosen.
pub struct Tree {
    files: Vec<File>,
    /// The PKCS#15 application's, in the root.
    folder: u16,
    place: Place,
    chosen: Option<usize>,
}

enum Target {
    Folder(Place),
    File(usize),
}

impl Tree {
    pub fn new(files: Vec<File>, folder: u16) -> Tree {
        Tree { files, folder, place: Place::Root, chosen: None }
    }

    /// What the issuer writes at a desk of its own, over what was.
    pub fn write(&mut self, file: File) {
        self.files.retain(|other| (other.place, other.id) != (file.place, file.id));
        self.files.push(file);
        self.forget();
    }

    pub fn place(&self) -> Place {
        self.place
    }

    /// At reset the root is chosen.
    pub fn forget(&mut self) {
        self.place = Place::Root;
        self.chosen = None;
    }

    pub fn select(&mut self, tpdu: &Tpdu<'_>) -> Result<Answer, u16> {
        let wants_answer = match tpdu.p2 {
            0x00 | 0x04 => true,
            0x0c => false,
            _ => return Err(sw::PARAMETERS),
        };
        let by_name = tpdu.p1 == 0x04;
        let target = match tpdu.p1 {
            0x04 => Target::Folder(Place::named(tpdu.data).ok_or(sw::NOT_FOUND)?),
            0x00 if tpdu.data.is_empty() => Target::Folder(Place::Root),
            0x03 if tpdu.data.is_empty() => Target::Folder(Place::Root),
            0x00 => self.walk(self.place, one_identifier(tpdu.data)?)?,
            0x01 => match self.walk(self.place, one_identifier(tpdu.data)?)? {
                Target::Folder(place) => Target::Folder(place),
                Target::File(_) => return Err(sw::NOT_FOUND),
            },
            0x02 => match self.walk(self.place, one_identifier(tpdu.data)?)? {
                // Not of a file, but OpenSC selects the root so, and logs in to real cards.
                Target::Folder(Place::Root) => Target::Folder(Place::Root),
                Target::Folder(_) => return Err(sw::NOT_FOUND),
                file => file,
            },
            0x08 => self.walk(Place::Root, tpdu.data)?,
            0x09 => self.walk(self.place, tpdu.data)?,
            _ => return Err(sw::PARAMETERS),
        };
        let control = match target {
            Target::Folder(place) => {
                self.place = place;
                self.chosen = None;
                // The real card gives its root no control parameters when asked by name.
                if by_name && place == Place::Root {
                    return Ok(Answer::Done);
                }
                place.control_parameters()
            }
            Target::File(index) => {
                self.place = self.files[index].place;
                self.chosen = Some(index);
                self.files[index].control_parameters()
            }
        };
        Ok(if wants_answer { Answer::Waiting(control) } else { Answer::Done })
    }

    /// Offset in P1 P2, or a short identifier in P1 and the offset in P2.
    pub fn read(&mut self, tpdu: &Tpdu<'_>, rights: Access) -> Result<Answer, u16> {
        let (index, offset) = if tpdu.p1 & 0x80 != 0 {
            if tpdu.p1 & 0x60 != 0 {
                return Err(sw::PARAMETERS);
            }
            let short = Some(tpdu.p1 & 0x1f);
            let found = self.files.iter().position(|file| file.place == self.place && file.short == short);
            (found.ok_or(sw::NOT_FOUND)?, usize::from(tpdu.p2))
        } else {
            (self.chosen.ok_or(sw::NO_FILE_CHOSEN)?, usize::from(u16::from_be_bytes(tpdu.parameters())))
        };
        let file = &self.files[index];
        self.chosen = Some(index);
        if file.read > rights {
            return Err(sw::SECURITY);
        }
        match file.content.get(offset..) {
            None | Some([]) => Err(sw::OFFSET),
            Some(rest) => Ok(Answer::Out(rest.to_vec())),
        }
    }

    /// An absolute path that opens with 3F00 is accepted wherever a path is (real traces).
    fn walk(&self, from: Place, path: &[u8]) -> Result<Target, u16> {
        if path.is_empty() || !path.len().is_multiple_of(2) {
            return Err(sw::DATA);
        }
        let mut at = Target::Folder(from);
        for identifier in path.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])) {
            at = match at {
                Target::File(_) => return Err(sw::NOT_FOUND),
                Target::Folder(_) if identifier == 0x3f00 => Target::Folder(Place::Root),
                Target::Folder(Place::Root) if identifier == self.folder => Target::Folder(Place::Holder),
                Target::Folder(place) => {
                    let found = self.files.iter().position(|file| file.place == place && file.id == identifier);
                    Target::File(found.ok_or(sw::NOT_FOUND)?)
                }
            };
        }
        Ok(at)
    }
}

impl Place {
    /// By the whole application identifier.
    fn named(name: &[u8]) -> Option<Place> {
        match name {
            ROOT_NAME => Some(Place::Root),
            HOLDER_NAME => Some(Place::Holder),
            _ => None,
        }
    }

    fn control_parameters(self) -> Vec<u8> {
        let (id, name) = match self {
            Place::Root => (0x3f00_u16, ROOT_NAME),
            Place::Holder => (0x0001, HOLDER_NAME),
        };
        let inside = [
            tlv(&[0x82], &[0x38]),
            tlv(&[0x83], &id.to_be_bytes()),
            tlv(&[0x84], name),
            tlv(&[0xa1], &rules(Access::Anyone)),
            tlv(&[0x8a], &[0x05]),
        ];
        tlv(&[0x62], &inside.concat())
    }
}

impl File {
    /// As the real card writes them.
    fn control_parameters(&self) -> Vec<u8> {
        let size = u16::try_from(self.content.len()).unwrap_or(u16::MAX);
        let mut inside =
            [tlv(&[0x80], &size.to_be_bytes()), tlv(&[0x82], &[0x01]), tlv(&[0x83], &self.id.to_be_bytes())].concat();
        if let Some(short) = self.short {
            inside.extend(tlv(&[0x88], &[short << 3]));
        }
        inside.extend(tlv(&[0xa1], &rules(self.read)));
        inside.extend(tlv(&[0x8a], &[0x05]));
        tlv(&[0x62], &inside)
    }
}

/// Contact, then contactless: everything never (FF), reading always (00), after the PIN (13), or never without contact.
fn rules(read: Access) -> Vec<u8> {
    let (contact, contactless) = match read {
        Access::Anyone => (0x00, 0x00),
        Access::Holder => (0x13, 0xff),
    };
    let rule = |last| [0x7b, 0xff, 0xff, 0xff, 0xff, 0xff, last];
    [tlv(&[0x8c], &rule(contact)), tlv(&[0x9c], &rule(contactless))].concat()
}

fn one_identifier(data: &[u8]) -> Result<&[u8], u16> {
    if data.len() == 2 { Ok(data) } else { Err(sw::DATA) }
}

/// 80: health; 250: France; 00001: who issued it.
pub const ROOT_NAME: &[u8] = &[0x80, 0x25, 0x00, 0x00, 0x01, 0xff, 0x01, 0x00];

pub const HOLDER_NAME: &[u8] = &[0xe8, 0x28, 0xbd, 0x08, 0x0f, 0x80, 0x25, 0x00, 0x00, 0x01, 0xff, 0x00, 0x10];
