//! What a clinical document says, before it is bytes: sections of paragraphs, lists and tables.

/// The body of one document.
pub struct Story {
    pub title: String,
    pub sections: Vec<Section>,
}

pub struct Section {
    pub title: String,
    /// LOINC code and its name, where the section has one.
    pub code: Option<(&'static str, &'static str)>,
    pub blocks: Vec<Block>,
}

pub enum Block {
    Paragraph(Vec<Run>),
    List { ordered: bool, items: Vec<String> },
    Table(Table),
    Footnote(String),
}

/// A piece of a line.
pub enum Run {
    Plain(String),
    Bold(String),
    Italics(String),
    Underline(String),
    Sup(String),
}

pub struct Table {
    pub caption: Option<String>,
    pub head: Vec<Cell>,
    pub rows: Vec<Vec<Cell>>,
}

pub struct Cell {
    pub text: String,
    /// How many columns it takes.
    pub span: u8,
    /// Out of its normal range: shown in bold.
    pub strong: bool,
}

impl Section {
    pub fn new(title: &str) -> Section {
        Section { title: title.to_owned(), code: None, blocks: Vec::new() }
    }

    pub fn coded(title: &str, code: &'static str, name: &'static str) -> Section {
        Section { title: title.to_owned(), code: Some((code, name)), blocks: Vec::new() }
    }

    pub fn say(mut self, text: impl Into<String>) -> Section {
        self.blocks.push(Block::Paragraph(vec![Run::Plain(text.into())]));
        self
    }

    pub fn runs(mut self, runs: Vec<Run>) -> Section {
        self.blocks.push(Block::Paragraph(runs));
        self
    }

    pub fn list(mut self, items: &[&str]) -> Section {
        let items = items.iter().map(|item| (*item).to_owned()).collect();
        self.blocks.push(Block::List { ordered: false, items });
        self
    }

    pub fn steps(mut self, items: &[&str]) -> Section {
        let items = items.iter().map(|item| (*item).to_owned()).collect();
        self.blocks.push(Block::List { ordered: true, items });
        self
    }

    pub fn table(mut self, table: Table) -> Section {
        self.blocks.push(Block::Table(table));
        self
    }

    pub fn footnote(mut self, text: &str) -> Section {
        self.blocks.push(Block::Footnote(text.to_owned()));
        self
    }
}

impl Table {
    pub fn new(caption: &str, head: &[&str]) -> Table {
        let caption = (!caption.is_empty()).then(|| caption.to_owned());
        Table { caption, head: head.iter().map(|text| Cell::new(text)).collect(), rows: Vec::new() }
    }

    pub fn row(mut self, cells: &[&str]) -> Table {
        self.rows.push(cells.iter().map(|text| Cell::new(text)).collect());
        self
    }

    /// A row whose second cell is out of range.
    pub fn strong(mut self, cells: &[&str]) -> Table {
        let mut row: Vec<Cell> = cells.iter().map(|text| Cell::new(text)).collect();
        if let Some(cell) = row.get_mut(1) {
            cell.strong = true;
        }
        self.rows.push(row);
        self
    }

    /// One cell over all columns.
    pub fn band(mut self, text: &str) -> Table {
        let span = u8::try_from(self.head.len()).unwrap_or(u8::MAX);
        self.rows.push(vec![Cell { text: text.to_owned(), span, strong: true }]);
        self
    }
}

impl Cell {
    fn new(text: &str) -> Cell {
        Cell { text: text.to_owned(), span: 1, strong: false }
    }
}

impl Run {
    pub fn text(&self) -> &str {
        match self {
            Run::Plain(text) | Run::Bold(text) | Run::Italics(text) | Run::Underline(text) | Run::Sup(text) => text,
        }
    }
}
