//! Onto the practice's printer: what is released under its row is drawn by the sealed worker, laid on paper, and sent as one job.

use crate::config;
use crate::device::printer;
use crate::device::printer::Format;
use crate::device::printer::Job;
use crate::device::printer::Printer;
use crate::journal::Committed;
use crate::kiosk::perform::hands::Hands;
use crate::kiosk::troubles;
use crate::paper;
use crate::paper::HEIGHT_PX;
use crate::paper::PAGES_MAX;
use crate::paper::Pdf;
use crate::paper::Picture;
use crate::paper::Sheet;
use crate::paper::WIDTH_PX;
use crate::paper::raster::Raster;
use crate::patient::ins::Patient;
use crate::policy::decision::Owed;
use crate::record::document::Document;
use crate::screen;
use crate::screen::words;
use crate::secret::SecretBytes;
use crate::trouble::Trouble;
use crate::visit::effect::Paper;
use crate::visit::event::Printed;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

/// The printer that the settings name, and the job that it has.
pub struct Outlet {
    printer: Printer,
    time_zone: String,
    /// The system's font for what ours lack.
    signs: Option<Arc<[u8]>>,
    /// Wholly sent, and not said to be done yet.
    job: Mutex<Option<i32>>,
}

impl Outlet {
    pub fn new(settings: &config::printer::Printer, time_zone: &str) -> Result<Outlet, printer::Error> {
        let read =
            |path| std::fs::read(path).map_err(|_| printer::Error::Address { what: "its certificate is not there" });
        let certificate_pem = settings.certificate.as_ref().map(read).transpose()?;
        let printer = Printer::new(&printer::Options { uri: settings.uri.clone(), certificate_pem })?;
        Ok(Outlet {
            printer,
            time_zone: time_zone.to_owned(),
            signs: std::fs::read(SIGNS).ok().map(Arc::from),
            job: Mutex::default(),
        })
    }

    /// The visit is over: a job that the printer has whole goes on, and is nobody else's to stop.
    pub(super) fn forget_job(&self) {
        *self.job() = None;
    }

    async fn press(&self, sheet: Sheet, pictures: Vec<Picture>) -> Result<Pdf, Trouble> {
        let signs = self.signs.clone();
        let pressed = beside(move || paper::press(&sheet, pictures, signs.as_deref())).await?;
        pressed.map_err(|error| troubles::of_paper(&error))
    }

    fn forget(&self, job: i32) {
        let mut known = self.job();
        if *known == Some(job) {
            *known = None;
        }
    }

    fn job(&self) -> std::sync::MutexGuard<'_, Option<i32>> {
        self.job.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hands {
    /// From the row to what the printer says. Dropped while it is sent, nothing of it is printed.
    pub(super) async fn print(&self, what: &Paper, committed: Option<&Committed>) -> Result<Printed, Trouble> {
        let outlet = self.outlet.as_ref().ok_or(Trouble::PrinterUnreachable)?;
        // First of all: paper that cannot come is not drawn.
        let state = outlet.printer.state().await.map_err(|error| troubles::of_printer(&error))?;
        if let Some(hindrance) = state.hindrance {
            return Err(troubles::of_hindrance(hindrance));
        }
        let Pdf { bytes: pdf, pages } = self.on_paper(outlet, what, committed).await?;
        let (document, format) = match (state.pdf, state.raster) {
            (true, _) => (pdf, Format::Pdf),
            (false, true) => (self.raster(pdf, pages, state.colour).await?, Format::PwgRaster),
            (false, false) => return Err(Trouble::PrinterUnsuited),
        };
        let job = outlet.printer.print(document, format).await.map_err(|error| troubles::of_printing(&error))?;
        *outlet.job() = Some(job);
        let finished = self.watch(outlet, job).await;
        // Else it would come out when somebody mends the printer, whoever stands there then.
        let taken_back = finished.is_ok() || self.stop_print().await;
        *outlet.job() = None;
        if !taken_back {
            return Err(Trouble::PrinterUnsure);
        }
        Ok(Printed { pages, finished: finished? })
    }

    /// A job that lies in the printer is taken back; what was being sent has ended with its connection. Whether none is left.
    pub(super) async fn stop_print(&self) -> bool {
        let Some(outlet) = &self.outlet else { return true };
        let Some(job) = *outlet.job() else { return true };
        let answer = tokio::time::timeout(CANCEL_MAX, outlet.printer.cancel(job)).await;
        match &answer {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "a job could not be taken back"),
            Err(_) => tracing::warn!("a job could not be taken back in time"),
        }
        outlet.forget(job);
        matches!(answer, Ok(Ok(())))
    }

    /// Whether it says that it is done, within a while.
    async fn watch(&self, outlet: &Outlet, job: i32) -> Result<bool, Trouble> {
        for _ in 0..LOOKS {
            match outlet.printer.job(job).await {
                Ok(Job::Done) => return Ok(true),
                Ok(Job::Failed) => return Err(Trouble::PrinterRefused),
                Ok(Job::Stopped) => {
                    let state = outlet.printer.state().await.map_err(|error| troubles::of_printing(&error))?;
                    return Err(state.hindrance.map_or(Trouble::PrinterStopped, troubles::of_hindrance));
                }
                Ok(Job::Waiting) => {}
                // It has all of it: that it does not tell how it goes is no failure.
                Err(error) => {
                    tracing::info!(%error, "the printer does not tell how its job goes");
                    return Ok(false);
                }
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(false)
    }

    /// A PDF, and how many pages it has.
    async fn on_paper(&self, outlet: &Outlet, what: &Paper, committed: Option<&Committed>) -> Result<Pdf, Trouble> {
        let who = self.who_prints().await?;
        let printing = screen::paper::Printing { who: &who, now: self.clock.now(), time_zone: &outlet.time_zone };
        let sheet = match what {
            Paper::Document { patient, document, owed } => {
                let committed = committed.ok_or(Trouble::TraceNotWritten)?;
                return self.document_on_paper(outlet, (patient, document, owed), committed, &printing).await;
            }
            Paper::History { patient, lines, complete } => screen::paper::history(patient, lines, *complete, &printing),
            Paper::Receipt(receipt) => screen::paper::receipt(receipt, &printing),
            Paper::Leaflet => screen::paper::leaflet(&printing),
        };
        outlet.press(sheet, Vec::new()).await
    }

    /// A page at a time is drawn, packed beside this task, which the card's going must find free, and let go of.
    async fn document_on_paper(
        &self,
        outlet: &Outlet,
        (patient, document, owed): (&Patient, &Document, &Owed),
        committed: &Committed,
        printing: &screen::paper::Printing<'_>,
    ) -> Result<Pdf, Trouble> {
        let content = self.content_of(&patient.ins, document, committed).await?;
        let kind = document.attachment.content_type.as_str();
        let of_render = |error| troubles::of_render(&error);
        let reading = self.worker.read(&content, kind, &document.format_code, 0..0).await.map_err(of_render)?;
        let pages = reading.page_count;
        if pages as usize > PAGES_MAX {
            return Err(troubles::of_paper(&paper::Error::TooLong { pages: pages as usize }));
        }
        let mut pictures = Vec::with_capacity(pages as usize);
        for page in 0..pages {
            let drawn = self.worker.read_wide(&content, kind, &document.format_code, page..page + 1, WIDTH_PX).await;
            let drawn = drawn.map_err(of_render)?.pages.into_iter().next().ok_or(Trouble::DocumentUnreadable)?;
            let packed = beside(move || Picture::new(&drawn, page)).await?;
            pictures.push(packed.map_err(|error| troubles::of_paper(&error))?);
        }
        outlet.press(screen::paper::document(patient, document, owed, reading, printing), pictures).await
    }

    /// For a printer that takes no PDF: our own PDF, drawn where a stranger's would be.
    async fn raster(&self, pdf: Vec<u8>, pages: u32, colour: bool) -> Result<Vec<u8>, Trouble> {
        let pdf = SecretBytes::new(pdf);
        let mut raster = Raster::new(pages, colour);
        for page in 0..pages {
            let drawn = self.worker.read_wide(&pdf, Format::Pdf.media_type(), "", page..page + 1, WIDTH_PX).await;
            let drawn = drawn.map_err(|error| troubles::of_render(&error))?.pages.into_iter().next();
            let drawn = drawn.filter(|page| page.height <= HEIGHT_PX + 2).ok_or(Trouble::DocumentUnreadable)?;
            let grown = move || {
                raster.page(&drawn);
                raster
            };
            raster = beside(grown).await?;
            if raster.bytes() > RASTER_BYTES_MAX {
                return Err(Trouble::TooManyPages);
            }
        }
        Ok(raster.finish())
    }

    async fn who_prints(&self) -> Result<String, Trouble> {
        let present = self.present.lock().await;
        let holder = &present.as_ref().ok_or(Trouble::CardPulledWhileReading)?.holder;
        Ok(words::full_name(&holder.family_name, &holder.given_name))
    }
}

/// Whoever waits for it may stop waiting; it ends by itself, within a second or so a page.
async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Trouble> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::error!(%error, "a page could not be packed");
        Trouble::Internal
    })
}

/// Debian's fonts-dejavu-core, where the screen finds them too.
const SIGNS: &str = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf";
const CANCEL_MAX: Duration = Duration::from_secs(5);
/// Sixty pages of writing are a tenth of it.
const RASTER_BYTES_MAX: usize = 192 * 1024 * 1024;
/// A minute and a half of looking.
const LOOKS: u32 = 180;
const LOOK_EVERY: Duration = Duration::from_millis(500);
