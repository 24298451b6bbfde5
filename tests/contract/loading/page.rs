//! The commands of docs/loading.md, taken from the page itself.

use std::path::Path;

/// A fenced block. Its opening line says for which loader and which formats it is.
struct Block {
    /// The words behind the language: `postgresql`, `bi` and `csv`. What no test can run is `untested`.
    tags: Vec<String>,
    text: String,
}

/// The page.
pub struct Page {
    blocks: Vec<Block>,
}

impl Page {
    pub fn read() -> Page {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/loading.md");
        let page = std::fs::read_to_string(path).unwrap();
        let mut blocks = Vec::new();
        let mut lines = page.lines();
        while let Some(line) = lines.next() {
            let Some(opening) = line.strip_prefix("```") else { continue };
            let tags: Vec<_> = opening.split_whitespace().skip(1).map(str::to_owned).collect();
            assert!(!tags.is_empty(), "a block of docs/loading.md without a loader: ```{opening}");
            let text = lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
            blocks.push(Block { tags, text });
        }
        Page { blocks }
    }

    /// What a block without formats says, by its name.
    pub fn named(&self, name: &str) -> &str {
        self.only(name, |block| block.tags == [name])
    }

    /// The command with which `loader` loads files of `format`.
    pub fn command(&self, loader: &str, format: &str) -> &str {
        let is_it = |block: &Block| block.tags[0] == loader && block.tags[1..].iter().any(|tag| tag == format);
        self.only(&format!("{loader} and {format}"), is_it)
    }

    fn only(&self, wanted: &str, is_it: impl Fn(&Block) -> bool) -> &str {
        let found: Vec<_> = self.blocks.iter().filter(|block| is_it(block)).collect();
        assert_eq!(found.len(), 1, "docs/loading.md needs one block for {wanted}");
        &found[0].text
    }

    /// All pairs of a loader and a format that have a command.
    pub fn commands(&self) -> Vec<(&str, &str)> {
        let mut commands = Vec::new();
        for Block { tags, .. } in &self.blocks {
            commands.extend(tags[1..].iter().map(|format| (tags[0].as_str(), format.as_str())));
        }
        commands
    }
}
