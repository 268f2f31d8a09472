//! `[screen]`: how the screen speaks and looks as a visit begins. Whoever is there may choose otherwise for their visit.

use crate::say::Lang;
use crate::say::Light;
use crate::say::Looks;
use crate::say::TEXT_PERCENTS;
use serde::Deserialize;

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    language: Option<String>,
    text_percent: Option<u16>,
    light: Option<String>,
}

/// Nothing written: French, the usual size, day.
pub(super) fn understand(raw: Raw) -> Result<Looks, &'static str> {
    let lang = match raw.language.as_deref() {
        None | Some("fr") => Lang::French,
        Some("en") => Lang::English,
        Some(_) => return Err("screen.language is neither \"fr\" nor \"en\""),
    };
    let light = match raw.light.as_deref() {
        None | Some("day") => Light::Day,
        Some("night") => Light::Night,
        Some("clock") => Light::ByClock,
        Some(_) => return Err("screen.light is none of \"day\", \"night\", \"clock\""),
    };
    let text_percent = raw.text_percent.unwrap_or(TEXT_PERCENTS[0]);
    if !TEXT_PERCENTS.contains(&text_percent) {
        return Err("screen.text_percent is none of 100, 125, 150, 200");
    }
    Ok(Looks { lang, text_percent, light })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn understood(text: &str) -> Result<Looks, &'static str> {
        understand(toml::from_str(text).expect("its keys are known"))
    }

    #[test]
    fn looks_are_what_is_written_or_refused_by_name() {
        assert_eq!(understood(""), Ok(Looks::default()));
        let all = understood("language = \"en\"\ntext_percent = 150\nlight = \"clock\"");
        assert_eq!(all, Ok(Looks { lang: Lang::English, text_percent: 150, light: Light::ByClock }));
        for (wrong, named) in [
            ("language = \"de\"", "screen.language"),
            ("text_percent = 300", "screen.text_percent"),
            ("light = \"dusk\"", "screen.light"),
        ] {
            assert!(understood(wrong).expect_err(wrong).contains(named), "{wrong}");
        }
    }
}
