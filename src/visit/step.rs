//! The transitions: who takes which event. The card and the PIN are here; the gate and the record have files of their own.

use crate::identity::holder::Holder;
use crate::identity::holder::Means;
use crate::identity::holder::Situation;
use crate::journal::Committed;
use crate::journal::Draft;
use crate::journal::trace::LoginProof;
use crate::journal::words::Class;
use crate::journal::words::Mode;
use crate::journal::words::Source;
use crate::secret::PinBuffer;
use crate::time::Now;
use crate::time::UnixSeconds;
use crate::trouble::Trouble;
use crate::visit::effect::Effect;
use crate::visit::event::CardRead;
use crate::visit::event::Desk;
use crate::visit::event::Event;
use crate::visit::event::Insertion;
use crate::visit::event::PinAnswer;
use crate::visit::event::PinEntry;
use crate::visit::event::ReaderState;
use crate::visit::event::Ticket;
use crate::visit::event::Touch;
use crate::visit::page::AskPin;
use crate::visit::page::ChoosingSituation;
use crate::visit::page::Duty;
use crate::visit::page::DutyStep;
use crate::visit::page::Here;
use crate::visit::page::Home;
use crate::visit::page::Opening;
use crate::visit::page::OpeningStep;
use crate::visit::page::Page;
use crate::visit::page::ReaderStep;
use crate::visit::page::Room;
use crate::visit::page::Visit;
use crate::visit::page::reception::Reception;
use std::time::Duration;

impl Visit {
    /// One event, one new state, the effects it asks for.
    pub fn step(self, event: Event, now: Now) -> (Visit, Vec<Effect>) {
        let by_phone = self.is_by_phone();
        let was_of_nobody = self.is_of_nobody();
        let (visit, effects) = self.take(event, now);
        let mut visit = if by_phone { visit.without_a_card(now) } else { visit };
        if !was_of_nobody && visit.is_of_nobody() {
            visit.forget_looks();
        }
        if visit.is_of_nobody() || matches!(visit.page, Page::Locked(_) | Page::TakeCard(_)) {
            visit.server_said = None;
        }
        visit.attend(now);
        (visit, effects)
    }

    fn take(mut self, event: Event, now: Now) -> (Visit, Vec<Effect>) {
        match event {
            // A removed card ends everything: first arm, no condition, no exception (P3).
            Event::CardOut => self.end(Page::Idle),
            // So does its reader: a card that cannot be asked is not there.
            Event::ReaderIs(reader) => {
                self.standing.reader = reader;
                // A visit by telephone has no card to lose.
                if reader == ReaderState::Ready || matches!(self.page, Page::Idle) || self.is_by_phone() {
                    (self, vec![])
                } else {
                    self.end(Page::Idle)
                }
            }
            Event::CardIn(insertion) => self.card_in(insertion, now),
            // Whatever was being asked of it: the page says so, and that it is to be taken out.
            Event::CardMute(insertion) if self.insertion() == Some(insertion) => {
                self.end(Page::TakeCard(Trouble::CardMute))
            }
            Event::CardMute(_) => (self, vec![]),
            Event::OtherCardIs(other) => {
                self.standing.other_card = other;
                (self, vec![])
            }
            // Of a question whose page is gone it says nothing that anybody is to see: that page took it along.
            Event::ServerSaid(said) => {
                self.server_said = Some(said);
                (self, vec![])
            }
            Event::LinkIs(link) => self.link_is(link),
            Event::PhoneOver { ticket, trouble } => self.phone_over(ticket, trouble),
            Event::WaitingIs(waiting) => {
                self.standing.waiting = Some(waiting);
                (self, vec![])
            }
            Event::RefusedAre(refused) => {
                self.standing.refused = refused;
                (self, vec![])
            }
            Event::AllowanceIs(allowance) => {
                self.standing.allowance = allowance;
                (self, vec![])
            }
            Event::DiskIs(disk) => {
                self.standing.disk = disk;
                (self, vec![])
            }
            Event::SpentIs(spent) => {
                self.standing.spent = Some(spent);
                (self, vec![])
            }
            Event::DeskIs { insertion, desk } => self.desk_is(insertion, desk),
            _ if self.is_over(now) => self.take_away(),
            event => {
                if matches!(event, Event::Touched(_)) {
                    self.server_said = None;
                }
                let (visit, mut effects) = match event {
                    Event::Tick => self.tick(now),
                    event => self.on_page(event, now),
                };
                // What lay under a note, or under a page about paper, may have had its end meanwhile.
                if !visit.is_over(now) {
                    return (visit, effects);
                }
                let (visit, more) = visit.take_away();
                effects.extend(more);
                (visit, effects)
            }
        }
    }

    /// When the loop must wake this visit with a `Tick`; `None` while nothing waits.
    pub fn alarm(&self) -> Option<Duration> {
        let wait = match &self.page {
            Page::Idle | Page::TakeCard(_) => None,
            Page::About { until, .. } | Page::ReadingCard { until, .. } | Page::CheckingPin { until, .. } => {
                Some(*until)
            }
            Page::Reception(desk) => desk.wait(),
            Page::Locked(locked) => Some(locked.until),
            Page::AskPin(ask) => Some(ask.until),
            Page::AskRpps(ask) => Some(ask.until),
            Page::WaitingForPhone(waiting) => Some(waiting.until),
            Page::ChoosingExercise(choosing) => Some(choosing.until),
            Page::ChoosingSituation(choosing) => Some(choosing.until),
            Page::PhoneOver { until, .. } => Some(*until),
            Page::Opening(opening) => Some(opening.until),
            Page::Home(home) => home.handing.map(|(_, until)| until).or(home.correcting.map(|one| one.until)),
            Page::Compose(compose) => compose.wait(),
            Page::Ahead(ahead) => ahead.step.wait(),
            Page::Duty(duty) => match &duty.step {
                DutyStep::Recording { until, .. } => Some(*until),
                DutyStep::Shown => None,
            },
            Page::Gate(gate) => gate.step.wait().map(|(until, _)| until),
            Page::Record(record) => match &record.room {
                Room::AskingHistory { until, .. }
                | Room::AskingReceipt { until, .. }
                | Room::Searching { until, .. } => Some(*until),
                Room::Gathering(gathering) => Some(gathering.until),
                Room::Writing(writing) => writing.wait(),
                Room::Managing(managing) => managing.wait(),
                _ => None,
            },
            Page::Printing(printing) => Some(printing.until),
            Page::Document(reader) => match &reader.step {
                ReaderStep::Fetching { until, .. }
                | ReaderStep::Recording { until, .. }
                | ReaderStep::Rendering { until, .. } => Some(*until),
                _ => None,
            },
        };
        wait.into_iter().chain(self.attention_alarm()).min()
    }

    /// Leaves whatever was open; what it held goes with it.
    pub(super) fn end(mut self, page: Page) -> (Visit, Vec<Effect>) {
        self.page = page;
        (self, vec![Effect::Lock])
    }

    pub(super) fn turn(mut self, page: Page, effects: Vec<Effect>) -> (Visit, Vec<Effect>) {
        self.page = page;
        (self, effects)
    }

    pub(super) fn ticket(&mut self) -> Ticket {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        ticket
    }

    /// A card while another visit is on means that its removal was missed: that visit ends first.
    fn card_in(self, insertion: Insertion, now: Now) -> (Visit, Vec<Effect>) {
        let page = Page::ReadingCard { insertion, until: now.since_boot + CARD_ANSWER_MAX };
        let read = Effect::ReadCard { insertion };
        if matches!(self.page, Page::Idle) {
            return self.turn(page, vec![read]);
        }
        self.turn(page, vec![Effect::Lock, read])
    }

    fn desk_is(mut self, insertion: Insertion, desk: Desk) -> (Visit, Vec<Effect>) {
        let Some(here) = self.page.here_mut() else { return (self, vec![]) };
        if here.insertion == insertion {
            (here.round, here.recent) = (desk.round, desk.recent);
            if let (Some(notice), Page::Home(home)) = (desk.notice, &mut self.page) {
                home.notice = Some(notice);
            }
        }
        (self, vec![])
    }

    fn tick(self, now: Now) -> (Visit, Vec<Effect>) {
        let over = |until: &Duration| now.since_boot >= *until;
        if self.here().is_some_and(|here| over(&here.until)) && !self.is_left_alone(now) {
            return if self.is_by_phone() {
                self.end(Page::TakeCard(Trouble::TookTooLong))
            } else {
                self.lock_away(now)
            };
        }
        match &self.page {
            Page::ReadingCard { until, .. } | Page::CheckingPin { until, .. } if over(until) => {
                self.end(Page::TakeCard(Trouble::CardMute))
            }
            Page::AskPin(ask) if over(&ask.until) => self.lock_again(),
            Page::Locked(locked) if over(&locked.until) => self.end(Page::TakeCard(Trouble::TookTooLong)),
            Page::About { until, .. } if over(until) => self.turn(Page::Idle, vec![]),
            Page::AskRpps(ask) if over(&ask.until) => self.turn(Page::Idle, vec![]),
            Page::WaitingForPhone(waiting) if over(&waiting.until) => {
                let trouble = if waiting.code.is_some() { Trouble::PhoneExpired } else { Trouble::PhoneUnreachable };
                self.end(Page::TakeCard(trouble))
            }
            Page::ChoosingExercise(choosing) if over(&choosing.until) => self.end(Page::TakeCard(Trouble::TookTooLong)),
            Page::ChoosingSituation(choosing) if over(&choosing.until) => {
                self.end(Page::TakeCard(Trouble::TookTooLong))
            }
            Page::PhoneOver { until, .. } if over(until) => self.turn(Page::Idle, vec![]),
            Page::Reception(_) => self.reception_tick(now),
            Page::Opening(opening) if over(&opening.until) => self.end(Page::TakeCard(Trouble::TookTooLong)),
            Page::Duty(duty) if matches!(&duty.step, DutyStep::Recording { until, .. } if over(until)) => {
                self.end(Page::TakeCard(Trouble::TraceNotWritten))
            }
            Page::Home(home) if home.handing.is_some_and(|(_, until)| over(&until)) => {
                self.end(Page::TakeCard(Trouble::Internal))
            }
            Page::Home(home) if home.correcting.is_some_and(|one| over(&one.until)) => self.correcting_tick(),
            Page::Compose(_) => self.compose_tick(now),
            Page::Ahead(_) => self.ahead_tick(now),
            Page::Gate(_) => self.gate_tick(now),
            Page::Record(_) | Page::Document(_) => self.record_tick(now),
            Page::Printing(_) => self.print_tick(now),
            _ => (self, vec![]),
        }
    }

    pub(super) fn on_page(mut self, event: Event, now: Now) -> (Visit, Vec<Effect>) {
        // A finger that comes down on « Arrêter » has not touched it yet.
        if matches!(event, Event::Touched(Touch::Stirred)) && self.is_left_alone(now) {
            return (self, vec![]);
        }
        if matches!(event, Event::Touched(_)) {
            if self.is_left_alone(now) && !matches!(event, Event::Touched(Touch::Stop)) {
                return self.end(Page::TakeCard(Trouble::TookTooLong));
            }
            self.keep_awake(now);
            if matches!(event, Event::Touched(Touch::Stirred)) {
                return (self, vec![]);
            }
        }
        if let Event::Touched(Touch::Look(change)) = event {
            self.look(change, now);
            return (self, vec![]);
        }
        let page = std::mem::replace(&mut self.page, Page::Idle);
        match page {
            Page::ReadingCard { insertion, until } => self.while_reading(insertion, until, event, now),
            Page::AskPin(ask) => self.while_asking_pin(ask, event, now),
            Page::CheckingPin { insertion, card, was_wrong, until } => {
                self.while_checking(insertion, card, (was_wrong, until), event, now)
            }
            Page::AskRpps(ask) => self.while_asking_rpps(ask, event, now),
            Page::WaitingForPhone(waiting) => self.while_waiting_for_phone(waiting, event, now),
            Page::ChoosingExercise(choosing) => self.while_choosing_exercise(*choosing, event, now),
            Page::ChoosingSituation(choosing) => self.while_choosing_situation(*choosing, event, now),
            Page::About { until, .. } if matches!(event, Event::Touched(Touch::LookUp(_))) => {
                let Event::Touched(Touch::LookUp(leaf)) = event else { return self.turn(Page::Idle, vec![]) };
                self.turn(Page::About { leaf, until }, vec![])
            }
            Page::About { .. } | Page::PhoneOver { .. }
                if matches!(event, Event::Touched(Touch::Back | Touch::Quit | Touch::Understood)) =>
            {
                self.turn(Page::Idle, vec![])
            }
            Page::Opening(opening) => self.while_opening(*opening, event, now),
            Page::Duty(duty) => self.at_duty(*duty, event, now),
            Page::Home(home) => self.at_home(*home, event, now),
            Page::Compose(compose) => self.at_compose(*compose, event, now),
            Page::Ahead(ahead) => self.at_ahead(*ahead, event, now),
            Page::Gate(gate) => self.at_gate(*gate, event, now),
            Page::Record(record) => self.in_record(*record, event, now),
            Page::Document(reader) => self.in_document(*reader, event, now),
            Page::Printing(printing) => self.while_printing(*printing, event, now),
            Page::Locked(locked) => self.while_locked(locked, event, now),
            Page::Idle => self.at_idle(event, now),
            // Nothing is asked here; anything is late, and changes nothing.
            page @ (Page::About { .. } | Page::TakeCard(_) | Page::PhoneOver { .. }) => self.turn(page, vec![]),
            Page::Reception(desk) => self.at_reception(*desk, event, now),
        }
    }

    fn while_reading(self, insertion: Insertion, until: Duration, event: Event, now: Now) -> (Visit, Vec<Effect>) {
        match event {
            // The guard matters: a slow reader may answer for the card before this one.
            Event::CardRead { insertion: asked, answer } if asked == insertion => match answer {
                Ok(card) => self.ask_pin(insertion, card, false, now),
                Err(trouble) => self.end(Page::TakeCard(trouble)),
            },
            _ => self.turn(Page::ReadingCard { insertion, until }, vec![]),
        }
    }

    fn ask_pin(self, insertion: Insertion, card: Box<CardRead>, was_wrong: bool, now: Now) -> (Visit, Vec<Effect>) {
        if card.tries_left == Some(0) {
            return self.end(Page::TakeCard(Trouble::CardBlocked));
        }
        // A last try, or a card that does not say, is asked about on the screen first (P7).
        if card.pin_entry == PinEntry::Reader && card.tries_left.is_some_and(|left| left > 1) {
            return self.ask_on_reader(insertion, card, was_wrong, now);
        }
        let until = now.since_boot + PIN_ENTRY_MAX;
        let ask = AskPin { insertion, card, digits: PinBuffer::new(), was_wrong, last_try_agreed: false, until };
        self.turn(Page::AskPin(ask), vec![])
    }

    /// The reader has the word; its patience ends before ours.
    fn ask_on_reader(
        self,
        insertion: Insertion,
        card: Box<CardRead>,
        was_wrong: bool,
        now: Now,
    ) -> (Visit, Vec<Effect>) {
        let until = now.since_boot + PIN_ENTRY_MAX;
        let page = Page::CheckingPin { insertion, card, was_wrong, until };
        self.turn(page, vec![Effect::CheckPinOnReader { insertion }])
    }

    fn while_asking_pin(self, mut ask: AskPin, event: Event, now: Now) -> (Visit, Vec<Effect>) {
        let Event::Touched(touch) = event else { return self.turn(Page::AskPin(ask), vec![]) };
        ask.until = now.since_boot + PIN_ENTRY_MAX;
        let (fewest, most) = ask.card.pin_digits;
        // A last try, or a card that does not say how many are left, needs an explicit yes first (P7).
        let may_type = ask.last_try_agreed || ask.card.tries_left.is_some_and(|left| left > 1);
        match touch {
            Touch::LastTry if ask.card.pin_entry == PinEntry::Reader => {
                return self.ask_on_reader(ask.insertion, ask.card, ask.was_wrong, now);
            }
            Touch::LastTry => ask.last_try_agreed = true,
            Touch::Digit(digit) if may_type => ask.digits.push(digit, usize::from(most)),
            Touch::Erase => ask.digits.pop(),
            // A wrong length never reaches the card.
            Touch::Confirm if may_type && ask.digits.count() >= usize::from(fewest) && ask.digits.count() > 0 => {
                let AskPin { insertion, card, digits, .. } = ask;
                let until = now.since_boot + CARD_ANSWER_MAX;
                let check = Effect::CheckPin { insertion, pin: digits.confirm() };
                return self.turn(Page::CheckingPin { insertion, card, was_wrong: false, until }, vec![check]);
            }
            _ => {}
        }
        self.turn(Page::AskPin(ask), vec![])
    }

    fn while_checking(
        self,
        insertion: Insertion,
        mut card: Box<CardRead>,
        (was_wrong, until): (bool, Duration),
        event: Event,
        now: Now,
    ) -> (Visit, Vec<Effect>) {
        match event {
            Event::PinChecked { insertion: asked, answer } if asked == insertion => match answer {
                PinAnswer::Here { proof, situations } => {
                    self.choose_situation(insertion, card.holder, proof, situations, now)
                }
                PinAnswer::Wrong { tries_left } => {
                    card.tries_left = Some(tries_left);
                    self.ask_pin(insertion, card, true, now)
                }
                PinAnswer::Blocked => self.end(Page::TakeCard(Trouble::CardBlocked)),
                PinAnswer::Failed(trouble) => self.end(Page::TakeCard(trouble)),
            },
            _ => self.turn(Page::CheckingPin { insertion, card, was_wrong, until }, vec![]),
        }
    }

    /// Of several situations the holder says under which one this visit is; one is taken as it stands. The desk of a CPE or
    /// CPA has none.
    fn choose_situation(
        self,
        insertion: Insertion,
        mut holder: Holder,
        proof: Box<LoginProof>,
        situations: Vec<Situation>,
        now: Now,
    ) -> (Visit, Vec<Effect>) {
        // Whoever comes back to a locked screen comes back to where they said that they work.
        let before = self.parked.as_ref().and_then(|parked| parked.holder().situations.clone());
        if let Some(chosen) =
            before.filter(|chosen| chosen.iter().all(|one| situations.contains(one)) && !chosen.is_empty())
        {
            holder.situations = Some(chosen);
            return self.open(insertion, holder, proof, now);
        }
        if situations.len() > 1 && holder.may_ask_for_records() {
            let until = now.since_boot + INACTIVITY_MAX;
            let choosing = ChoosingSituation { insertion, holder, proof, situations, until };
            return self.turn(Page::ChoosingSituation(Box::new(choosing)), vec![]);
        }
        holder.situations = Some(situations);
        self.open(insertion, holder, proof, now)
    }

    fn while_choosing_situation(self, mut choosing: ChoosingSituation, event: Event, now: Now) -> (Visit, Vec<Effect>) {
        match event {
            Event::Touched(Touch::Choose(place)) if place < choosing.situations.len() => {
                choosing.holder.situations = Some(vec![choosing.situations.swap_remove(place)]);
                self.open(choosing.insertion, choosing.holder, choosing.proof, now)
            }
            Event::Touched(Touch::Back | Touch::Quit) => self.end(Page::TakeCard(Trouble::VisitEnded)),
            event => {
                if matches!(event, Event::Touched(_)) {
                    choosing.until = now.since_boot + INACTIVITY_MAX;
                }
                self.turn(Page::ChoosingSituation(Box::new(choosing)), vec![])
            }
        }
    }

    /// The login is a row before it is anything else: its index enters every row of the visit.
    pub(super) fn open(
        mut self,
        insertion: Insertion,
        holder: Holder,
        proof: Box<LoginProof>,
        now: Now,
    ) -> (Visit, Vec<Effect>) {
        let ticket = self.ticket();
        let by_phone = holder.means == Means::ECps;
        let reason = by_phone.then(|| "means: e-cps".to_owned());
        let row = Draft { proof: Some(*proof.clone()), reason, ..self.own_row(Class::Login, &holder, now) };
        let step = OpeningStep::RecordingLogin { ticket, proof };
        let opening = Opening { insertion, holder, step, until: now.since_boot + WAIT_MAX };
        self.turn(Page::Opening(Box::new(opening)), vec![Effect::Record { ticket, rows: vec![row], said: vec![] }])
    }

    /// A row about the holder alone.
    pub(super) fn own_row(&self, class: Class, holder: &Holder, now: Now) -> Draft {
        Draft {
            class,
            holder: holder.id.clone(),
            profession: holder.profession,
            login: None,
            proof: None,
            situation: holder.situation().map(|situation| situation.structure.clone()),
            patient: None,
            document: None,
            ground: None,
            mode: Mode::Normal,
            regime: self.rules.regime,
            rule: String::new(),
            matrix_version: self.rules.matrix.version.clone(),
            reason: None,
            secret: false,
            framework: None,
            source: Source::Online,
            at: now,
        }
    }

    fn while_opening(mut self, mut opening: Opening, event: Event, now: Now) -> (Visit, Vec<Effect>) {
        match (&opening.step, event) {
            (OpeningStep::RecordingLogin { ticket, .. }, Event::Recorded { ticket: asked, answer })
                if asked == *ticket =>
            {
                let login = match answer.map(|rows| rows.first().map(Committed::index)) {
                    Ok(Some(index)) => index,
                    Ok(None) => return self.end(Page::TakeCard(Trouble::TraceNotWritten)),
                    Err(trouble) => return self.end(Page::TakeCard(trouble)),
                };
                let insertion = opening.insertion;
                let by_phone = opening.holder.means == Means::ECps;
                if by_phone && !opening.holder.may_ask_for_records() {
                    return self.end(Page::TakeCard(Trouble::PhoneNoProfession));
                }
                if !opening.holder.may_ask_for_records() {
                    let desk = Reception::new(insertion, opening.holder, now.since_boot + self.rules.patience.lock);
                    return self.turn(Page::Reception(Box::new(desk)), vec![]);
                }
                let ticket = self.ticket();
                opening.step = OpeningStep::OpeningCompartment { ticket, login };
                opening.until = now.since_boot + WAIT_MAX;
                let open = if by_phone {
                    Effect::OpenMemory { ticket, insertion, holder: Box::new(opening.holder.clone()) }
                } else {
                    Effect::OpenCompartment { ticket, insertion, situation: opening.holder.situation().cloned() }
                };
                self.turn(Page::Opening(Box::new(opening)), vec![open])
            }
            (OpeningStep::OpeningCompartment { ticket, login }, Event::CompartmentOpened { ticket: asked, answer })
                if asked == *ticket =>
            {
                let login = *login;
                match answer {
                    Ok(desk) => {
                        let Opening { insertion, holder, .. } = opening;
                        if let Some(page) = self.take_parked(insertion, &holder) {
                            return self.resume(page, desk, now);
                        }
                        let until = now.since_boot + self.rules.patience.lock;
                        let Desk { round, recent, told: desk_told, card_ends, notice } = desk;
                        let here =
                            Here { insertion, holder, login, round, recent, card_ends, national_settled: false, until };
                        // What waits for this holder leaves at once; nobody waits for it.
                        let deliver = vec![Effect::Deliver { ticket: self.ticket() }];
                        let again_s = i64::from(self.rules.duty_days) * 86_400;
                        let told = |at: UnixSeconds| now.wall.has_reached(at.plus(again_s)) != Some(true);
                        if desk_told.is_some_and(told) {
                            return self.home(here, notice, deliver);
                        }
                        let duty = Duty { here, step: DutyStep::Shown, notice };
                        self.turn(Page::Duty(Box::new(duty)), deliver)
                    }
                    Err(trouble) => self.end(Page::TakeCard(trouble)),
                }
            }
            _ => self.turn(Page::Opening(Box::new(opening)), vec![]),
        }
    }

    /// What a consultation entails is read, and that it was read is a row, before anything else (SC.DMP/CONF).
    fn at_duty(mut self, mut duty: Duty, event: Event, now: Now) -> (Visit, Vec<Effect>) {
        match (&duty.step, event) {
            (DutyStep::Shown, Event::Touched(Touch::Understood)) => {
                let ticket = self.ticket();
                let row = Draft {
                    reason: Some(format!("{DUTY_TEXT} v{DUTY_TEXT_VERSION} fr-FR")),
                    login: Some(duty.here.login),
                    ..self.own_row(Class::Maintenance, &duty.here.holder, now)
                };
                duty.step = DutyStep::Recording { ticket, until: now.since_boot + WAIT_MAX };
                let record = Effect::Record { ticket, rows: vec![row], said: vec![] };
                self.turn(Page::Duty(Box::new(duty)), vec![record])
            }
            (DutyStep::Shown, Event::Touched(Touch::Quit | Touch::Back)) => {
                self.end(Page::TakeCard(Trouble::VisitEnded))
            }
            (DutyStep::Recording { ticket, .. }, Event::Recorded { ticket: asked, answer }) if asked == *ticket => {
                match answer {
                    // A visit by telephone has nowhere to keep it.
                    Ok(_) if duty.here.holder.means == Means::ECps => self.home(duty.here, duty.notice, vec![]),
                    Ok(_) => self.home(duty.here, duty.notice, vec![Effect::KeepTold { at: now.wall.value() }]),
                    Err(trouble) => self.end(Page::TakeCard(trouble)),
                }
            }
            _ => self.turn(Page::Duty(Box::new(duty)), vec![]),
        }
    }

    pub(super) fn home(self, here: Here, notice: Option<Trouble>, mut effects: Vec<Effect>) -> (Visit, Vec<Effect>) {
        effects.extend(self.make_national(&here));
        let (typing, tray, leaf) = (false, false, None);
        let home = Home { here, typing, tray, leaf, correcting: None, notice, national: None, handing: None };
        self.turn(Page::Home(Box::new(home)), effects)
    }

    fn at_home(self, mut home: Home, event: Event, now: Now) -> (Visit, Vec<Effect>) {
        if home.handing.is_some() {
            return self.while_handing(home, event);
        }
        if let Event::RefusedOpened { ticket, answer } = event {
            return self.refused_opened(home, ticket, answer, now);
        }
        let Event::Touched(touch) = event else { return self.national_made(home, event, now) };
        (home.notice, home.national) = (None, None);
        if home.tray {
            return self.at_tray(home, touch, now);
        }
        // A code that is read is meant, whatever lies open.
        let stays = !matches!(touch, Touch::Back | Touch::Scanned(_));
        home.leaf = home.leaf.filter(|_| stays);
        if home.leaf.is_some() && !matches!(touch, Touch::LookUp(_) | Touch::Quit) {
            return self.turn(Page::Home(Box::new(home)), vec![]);
        }
        match touch {
            Touch::LookUp(leaf) if !home.typing => {
                home.leaf = Some(leaf);
                self.turn(Page::Home(Box::new(home)), vec![])
            }
            Touch::ShowTray => {
                home.tray = true;
                self.turn(Page::Home(Box::new(home)), vec![])
            }
            Touch::HandOver => self.hand_over(home, now),
            Touch::ComposeRound => self.compose_round(home, now),
            Touch::PrepareRound => self.prepare_round(home, now),
            Touch::OpenPatient(place) if place < home.here.round.len() => {
                let patient = home.here.round[place].patient.clone();
                self.come_to_gate(home.here, patient, now)
            }
            Touch::OpenRecent(place) => match home.here.last_visits().get(place).map(|(patient, _)| patient.clone()) {
                Some(patient) => self.come_to_gate(home.here, patient, now),
                None => self.turn(Page::Home(Box::new(home)), vec![]),
            },
            Touch::TypeIns => {
                home.typing = true;
                self.turn(Page::Home(Box::new(home)), vec![])
            }
            Touch::Back => {
                home.typing = false;
                self.turn(Page::Home(Box::new(home)), vec![])
            }
            Touch::InsTyped { matricule, birth_name, birth_date } => {
                match super::identify::typed(&home.here.round, &matricule, &birth_name, &birth_date) {
                    Ok(patient) => self.come_to_gate(home.here, patient, now),
                    Err(trouble) => {
                        home.notice = Some(trouble);
                        self.turn(Page::Home(Box::new(home)), vec![])
                    }
                }
            }
            Touch::Scanned(payload) => match super::identify::scanned(&home.here.round, &payload) {
                Ok(patient) => self.come_to_gate(home.here, patient, now),
                Err(trouble) => {
                    home.notice = Some(trouble);
                    self.turn(Page::Home(Box::new(home)), vec![])
                }
            },
            Touch::Quit => self.end(Page::TakeCard(Trouble::VisitEnded)),
            _ => self.turn(Page::Home(Box::new(home)), vec![]),
        }
    }
}

/// How long a card may take to answer.
pub const CARD_ANSWER_MAX: Duration = Duration::from_secs(20);
/// How long a PIN page waits for the next digit.
pub const PIN_ENTRY_MAX: Duration = Duration::from_secs(60);
/// How long the disk or the network may take before the page says so.
pub const WAIT_MAX: Duration = Duration::from_secs(40);
/// How long an outcome, a choice, and where the settings say nothing a page waits for a touch.
pub const INACTIVITY_MAX: Duration = Duration::from_secs(300);
/// The two texts owed to professionals, as `screen` words them.
pub const DUTY_TEXT: &str = "PS-1";
pub const DUTY_TEXT_VERSION: u32 = 1;
