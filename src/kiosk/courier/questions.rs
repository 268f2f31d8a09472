//! What is asked of the upstream once the rows have gone, one after the other.

use crate::kiosk::courier::put_back::Head;
use crate::visit::event::LinkState;

/// What is asked of the upstream when nothing is left to send.
pub(super) enum Question {
    /// Which of our heads it has. Before each head, not once: a centre that came back from a backup and gets a new one would have
    /// nothing to be found out by.
    Compare,
    /// A head that is not anchored yet goes when the rows have gone, and finds out as well whether there is a network.
    Anchor,
    Network,
}

/// How far asking has come since something was last sent.
#[derive(Default)]
pub(super) struct Questions {
    is_compared: bool,
    is_anchor_asked: bool,
    /// What the head's answer told of the network. `None`: there was no head to give.
    pub anchored: Option<LinkState>,
    pub are_over: bool,
}

impl Questions {
    /// The next one to ask; `None` when the round is over. `sent`: something left in this round.
    pub fn next(&mut self, head: Head, sent: bool) -> Option<Question> {
        if self.are_over {
            return None;
        }
        if !self.is_compared && (head == Head::NotCompared || (head == Head::Compared && sent)) {
            self.is_compared = true;
            return Some(Question::Compare);
        }
        if !self.is_anchor_asked {
            self.is_anchor_asked = true;
            return Some(Question::Anchor);
        }
        self.are_over = true;
        (self.anchored.is_none() && !sent).then_some(Question::Network)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(head: Head, sent: bool, anchored: Option<LinkState>) -> Vec<&'static str> {
        let mut questions = Questions::default();
        let mut all = Vec::new();
        while let Some(question) = questions.next(head, sent) {
            all.push(match question {
                Question::Compare => "compare",
                Question::Anchor => {
                    questions.anchored = anchored;
                    "anchor"
                }
                Question::Network => "network",
            });
        }
        all
    }

    #[test]
    fn a_head_is_compared_before_each_that_goes_and_the_network_is_looked_for_when_nothing_else_told_of_it() {
        let online = Some(LinkState::Online);
        assert_eq!(asked(Head::NotCompared, false, None), ["compare", "anchor", "network"]);
        assert_eq!(asked(Head::NotCompared, true, online), ["compare", "anchor"]);
        assert_eq!(asked(Head::Compared, true, online), ["compare", "anchor"]);
        assert_eq!(asked(Head::Compared, false, None), ["anchor", "network"]);
        assert_eq!(asked(Head::Compared, false, online), ["anchor"]);
        assert_eq!(asked(Head::CannotBe, true, None), ["anchor"]);
    }

    #[test]
    fn without_an_answer_nothing_more_is_asked() {
        let mut questions = Questions::default();
        assert!(questions.next(Head::NotCompared, true).is_some());
        questions.are_over = true;
        assert!(questions.next(Head::NotCompared, true).is_none());
    }
}
