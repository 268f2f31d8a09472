//! Policy, proven: the reduced space of facts whole, against a table written from the law; every cell of the matrix,
//! against what was published; bad matrices; the operator's verbs.

mod cases;
mod cells;
mod documents;
mod exhaustive;
mod malformed;
mod oracle;
mod verbs;
