//! One measured figure, as DESIGN's contract prints it.

use serde_json::json;

pub struct Figure {
    pub figure: &'static str,
    pub ours: f64,
    /// What it is measured against in the same run; `None` for counts and limits.
    pub peer: Option<(&'static str, f64)>,
    pub unit: &'static str,
    /// At most this: of the ratio where there is a peer, else of our own value.
    pub goal: f64,
}

impl Figure {
    pub fn line(&self, as_json: bool) -> String {
        let ratio = self.peer.map(|(_, value)| self.ours / value);
        let met = ratio.unwrap_or(self.ours) <= self.goal;
        let goal = match ratio {
            Some(_) => format!("ratio <= {}", self.goal),
            None => format!("<= {} {}", self.goal, self.unit),
        };
        let (peer, peer_value) = self.peer.map_or((None, None), |(name, value)| (Some(name), Some(value)));
        if as_json {
            return json!({
                "figure": self.figure, "ours": self.ours, "peer": peer, "peer_value": peer_value, "unit": self.unit,
                "ratio": ratio, "goal": goal, "met": met,
            })
            .to_string();
        }
        let against = self.peer.map_or(String::new(), |(name, value)| format!(", {name} {value:.1} {}", self.unit));
        let ratio = ratio.map_or(String::new(), |ratio| format!(", ratio {ratio:.3}"));
        let word = if met { "met" } else { "NOT met" };
        format!("{}: {:.1} {}{against}{ratio} ({goal}: {word})", self.figure, self.ours, self.unit)
    }
}
