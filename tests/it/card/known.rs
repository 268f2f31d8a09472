//! A card that was here before, through the real pcscd: what it is spared, what it is asked all the same, and one that lies
//! about its number.

use super::*;
use chevet::card::Known;
use chevet::vault;
use chevet::vault::Vault;
use uuid::Uuid;

impl Watched {
    pub(super) fn again(&self, insertion: u64, known: &Known) -> Result<CardContents, Error> {
        let asked = async {
            let serial = self.reader.serial(insertion).await?;
            assert_eq!(serial.as_deref(), known.serial());
            self.reader.read_known(insertion, known.clone()).await
        };
        self.runtime.block_on(asked)
    }

    /// Logs in, asks where the holder works, and takes what is worth keeping.
    pub(super) fn learn(&self, insertion: u64) -> Option<Known> {
        self.login(insertion, "1234").expect("logged in");
        self.runtime.block_on(self.reader.situations(insertion)).expect("told");
        self.runtime.block_on(self.reader.learnt(insertion)).expect("in")
    }
}

#[test]
fn a_card_that_was_here_is_identified_by_four_commands() {
    with_card("card::known::a_card_that_was_here_is_identified_by_four_commands", "nurse", |hands| {
        let (mut watched, mut insertion) = Watched::with_card_in();
        for name in ["nurse", "nurse#9", "odd:pin-elsewhere"] {
            insertion = watched.swap(insertion, name, hands);
            let fresh = watched.read(insertion).expect("read");
            assert!((20..=22).contains(&hands.apdus()), "{name}: {} the first time", hands.apdus());
            assert_eq!(watched.runtime.block_on(watched.reader.learnt(insertion)), Ok(None), "before its PIN");
            let known = watched.learn(insertion).expect("worth keeping");

            insertion = watched.swap(insertion, name, hands);
            assert_eq!(watched.again(insertion, &known), Ok(fresh), "{name}");
            assert!(hands.apdus() <= 4, "{name}: {}", hands.apdus());
            let before = hands.apdus();
            watched.login(insertion, "1234").expect("logged in");
            assert!(hands.apdus() - before <= 6, "{name}: {} for the login", hands.apdus() - before);
            let before = hands.apdus();
            let places = watched.runtime.block_on(watched.reader.situations(insertion)).expect("told");
            assert_eq!(places.len(), 1, "{name}");
            assert_eq!(hands.apdus() == before, name.contains('#'), "{name}: spared under a stamp, and only then");
            assert_eq!(watched.runtime.block_on(watched.reader.learnt(insertion)), Ok(None), "{name}: nothing new");
            // Tries are never remembered.
            assert_eq!(watched.login(insertion, "9999"), Err(Error::WrongPin { tries_left: 2 }));
            watched.reader.leave();
            assert_eq!(watched.again(insertion, &known).map(|contents| contents.tries_left), Ok(Some(2)), "{name}");
        }
    });
}

/// Its files may be anybody's and its number another's: what it signs is its own.
#[test]
fn a_card_that_lies_about_its_number_fails_at_the_login() {
    with_card("card::known::a_card_that_lies_about_its_number_fails_at_the_login", "nurse", |hands| {
        let (mut watched, insertion) = Watched::with_card_in();
        let nurse = watched.read(insertion).expect("read").certificate;
        let known = watched.learn(insertion).expect("worth keeping");
        let insertion = watched.swap(insertion, "doctor@nurse", hands);
        assert_eq!(watched.again(insertion, &known).expect("recalled").certificate, nurse, "the number is the nurse's");
        assert_eq!(watched.login(insertion, "1234"), Err(Error::NotAsKnown));
        assert_eq!(watched.sign(insertion), Err(Error::PinNeeded), "nothing stands on it");
        assert_eq!(hands.tries_left(), Some(3));
        // Read for itself it is the doctor's, and may be kept in the nurse's place.
        let contents = watched.read(insertion).expect("read");
        assert_ne!(contents.certificate, nurse);
        let other = watched.learn(insertion).expect("worth keeping");
        assert_eq!(other.serial(), known.serial());
    });
}

#[test]
fn a_card_that_was_changed_is_read_anew() {
    with_card("card::known::a_card_that_was_changed_is_read_anew", "nurse#9", |hands| {
        let (mut watched, insertion) = Watched::with_card_in();
        let nurse = watched.read(insertion).expect("read").certificate;
        let known = watched.learn(insertion).expect("worth keeping");
        let insertion = watched.swap(insertion, "doctor@nurse#10", hands);
        let contents = watched.again(insertion, &known).expect("read");
        assert!(contents.certificate != nurse && hands.apdus() > 20, "{}", hands.apdus());
        let renewed = watched.learn(insertion).expect("worth keeping, in its place");
        assert!(renewed != known && renewed.serial() == known.serial());
    });
}

fn made_vault() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let options = vault::Options {
        folder: folder.path().to_owned(),
        device: vault::keys::device_id(folder.path()).expect("a name"),
        software: "tests".to_owned(),
        boot: Uuid::now_v7(),
        device_key: vault::keys::desk_device_key(folder.path()).expect("a key"),
    };
    drop(Vault::open(options, UnixSeconds(1_795_435_200)).expect("a vault"));
    folder
}

/// The command logs in with what the vault here knows, writes down what it learns, and strikes out what was not so.
#[test]
fn the_verb_spares_a_card_that_it_knows() {
    with_card("card::known::the_verb_spares_a_card_that_it_knows", "nurse#9", |hands| {
        let state = made_vault();
        let login = || {
            let before = hands.apdus();
            let verb = Verb::run_in(hands, state.path(), |asked, output| {
                login_on(asked, LastTry::Keep, &mut "1234\n".as_bytes(), output)
            });
            (verb, hands.apdus() - before)
        };
        let (first, long) = login();
        assert_eq!((first.code, &first.json["verified"]), (ExitCode::SUCCESS, &true.into()), "{}", first.json);
        let (second, short) = login();
        assert_eq!((second.code, &second.json), (ExitCode::SUCCESS, &first.json), "it says the same");
        assert!(long > 25 && short <= 10, "{long} and then {short}");

        hands.pull_and_see();
        hands.insert("doctor@nurse#9");
        let (lied, _) = login();
        assert_eq!((lied.code, &lied.json["verified"]), (ExitCode::from(1), &false.into()), "{}", lied.json);
        let (own, _) = login();
        assert_eq!((own.code, &own.json["holder"]["profession"]), (ExitCode::SUCCESS, &10.into()), "{}", own.json);
    });
}

/// Nobody waits for ever at a card that has fallen silent, before or after its PIN.
#[test]
fn the_verbs_end_at_a_card_that_is_mute() {
    with_card("card::known::the_verbs_end_at_a_card_that_is_mute", "nurse", |hands| {
        hands.set_faults(Faults { mute: true, ..Faults::default() });
        let shown = Verb::show(hands);
        assert_eq!((shown.code, shown.json), (ExitCode::from(3), serde_json::Value::Null));
        hands.pull_and_see();
        hands.insert("nurse");
        // In its signature: the PIN was taken.
        hands.set_faults(Faults { mute_from: Some(24), ..Faults::default() });
        let login = Verb::login(hands, LastTry::Keep, "1234\n");
        assert_eq!((login.code, login.json), (ExitCode::from(3), serde_json::Value::Null));
        assert_eq!(hands.tries_left(), Some(3));
    });
}
