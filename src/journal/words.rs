//! The closed vocabularies of a row: class, ground, mode, regime, source. Their names are the wire's and the disk's.

/// What kind of act a row records. Prefetching is never a consultation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    Login,
    Gate,
    Prefetched,
    Listed,
    Searched,
    Summary,
    Opened,
    Printed,
    Contributed,
    Consent,
    Refused,
    Withdrawn,
    BreakGlass,
    Maintenance,
}

/// The lawful ground on which a record was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ground {
    /// A valid authorization stands upstream.
    Authorization,
    /// Member of the care team, initial consent recorded, informed at this event.
    Team,
    /// Outside the team: the patient's express consent, this time.
    Explicit,
    /// L.1111-17 I: unable to express their will and immediate risk.
    BreakGlass,
    /// The patient said no.
    Refused,
}

/// TRE_R248, and our own `prefetch`, which is decided apart and never offered upstream as a mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    Normal,
    BrisDeGlace,
    /// Known so that it can be refused by name: never offered by a kiosk.
    Centre15,
    Prefetch,
}

/// The legal regime of consent in force at this site; it enters every row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Regime {
    /// The care team is presumed to agree; information at each new event.
    Arrete2023,
    /// Conseil d'État n° 490409: the patient's initial consent before the team's first access.
    ConseilEtat2025,
}

/// Where the bytes came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    Online,
    Cached,
}

macro_rules! names {
    ($kind:ident { $($variant:ident => $name:literal),+ $(,)? }) => {
        impl $kind {
            /// Every value, in the order of its definition.
            pub const ALL: &'static [$kind] = &[$($kind::$variant),+];

            /// Its stable name.
            pub fn name(self) -> &'static str {
                match self { $($kind::$variant => $name),+ }
            }

            /// From its stable name.
            pub fn from_name(name: &str) -> Option<$kind> {
                $kind::ALL.iter().copied().find(|value| value.name() == name)
            }
        }
    };
}

names!(Class {
    Login => "login", Gate => "gate", Prefetched => "prefetched", Listed => "listed", Searched => "searched",
    Summary => "summary", Opened => "opened", Printed => "printed", Contributed => "contributed",
    Consent => "consent", Refused => "refused", Withdrawn => "withdrawn", BreakGlass => "break_glass",
    Maintenance => "maintenance",
});
names!(Ground {
    Authorization => "authorization", Team => "team", Explicit => "explicit", BreakGlass => "break_glass",
    Refused => "refused",
});
names!(Mode { Normal => "normal", BrisDeGlace => "bris_de_glace", Centre15 => "centre_15", Prefetch => "prefetch" });
names!(Regime { Arrete2023 => "arrete-2023", ConseilEtat2025 => "conseil-etat-2025" });
names!(Source { Online => "online", Cached => "cached" });
