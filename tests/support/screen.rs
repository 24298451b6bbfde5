//! A terminal: a command runs at a real one (made by `script`), and what it wrote is shown on a small screen.

use std::process::{Command, Stdio};

use super::program::Program;

/// What a terminal of a certain width shows in the end, and how. Lines that have scrolled away count as shown.
#[derive(Default)]
pub struct Screen {
    width: usize,
    cells: Vec<Vec<char>>,
    row: usize,
    column: usize,
}

/// Runs a command of the program at a terminal of that width, to its end. Returns its exit code, all that it wrote, and
/// the screen.
#[track_caller]
pub fn run(program: &Program, width: usize, arguments: &[&str]) -> (i32, String, Screen) {
    let inner = program.command(arguments);
    let words = [inner.get_program()].into_iter().chain(inner.get_args()).map(|word| word.to_str().unwrap());
    let quoted: Vec<String> = words.map(|word| format!("'{word}'")).collect();
    let line = format!("stty rows 50 cols {width}; exec {}", quoted.join(" "));
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]).current_dir(program.path(""));
    script.env("SHELL", "/bin/sh").env("TERM", "xterm-256color").env_remove("NO_COLOR").stdin(Stdio::null());
    let output = script.output().expect("this test needs script (bsdutils)");
    let written = String::from_utf8(output.stdout).unwrap();
    let mut screen = Screen { width, ..Screen::default() };
    screen.write(&written);
    (output.status.code().unwrap_or(-1), written, screen)
}

impl Screen {
    /// Its lines, without blanks at their ends, down to the last one that shows anything.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> =
            self.cells.iter().map(|line| line.iter().collect::<String>().trim_end().to_owned()).collect();
        while lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        lines
    }

    fn write(&mut self, text: &str) {
        let mut rest = text.chars();
        while let Some(character) = rest.next() {
            match character {
                '\r' => self.column = 0,
                '\n' => self.row += 1,
                '\u{1b}' => self.obey(&mut rest),
                '\u{7}' => {}
                character => self.put(character),
            }
        }
    }

    fn put(&mut self, character: char) {
        // A full line goes on below when there is more to show, as terminals do it.
        if self.column == self.width {
            (self.row, self.column) = (self.row + 1, 0);
        }
        let line = self.line();
        *line = character;
        self.column += 1;
    }

    fn line(&mut self) -> &mut char {
        while self.cells.len() <= self.row {
            self.cells.push(vec![' '; self.width]);
        }
        &mut self.cells[self.row][self.column]
    }

    /// A control sequence: `ESC [ numbers letter`. One that this screen does not know is a defect of the test.
    fn obey(&mut self, rest: &mut std::str::Chars<'_>) {
        assert_eq!(rest.next(), Some('['), "only control sequences are known");
        let mut numbers = String::new();
        let letter = loop {
            match rest.next().expect("a control sequence has an end") {
                letter if letter.is_ascii_alphabetic() => break letter,
                character => numbers.push(character),
            }
        };
        let count = numbers.parse().unwrap_or(1);
        match letter {
            'A' => self.row = self.row.saturating_sub(count),
            'B' => self.row += count,
            'C' => self.column = (self.column + count).min(self.width - 1),
            'D' => self.column = self.column.saturating_sub(count),
            'G' => self.column = count - 1,
            'J' => self.erase_below(),
            'K' if numbers == "2" => self.erase(0, self.width),
            'K' if numbers.is_empty() || numbers == "0" => self.erase(self.column, self.width),
            // Colours, the cursor's looks.
            'm' | 'h' | 'l' => {}
            _ => panic!("ESC [ {numbers} {letter} is not known"),
        }
    }

    fn erase(&mut self, from: usize, to: usize) {
        if let Some(line) = self.cells.get_mut(self.row) {
            line[from..to].fill(' ');
        }
    }

    fn erase_below(&mut self) {
        self.erase(self.column, self.width);
        self.cells.truncate(self.row + 1);
    }
}

#[test]
fn the_screen_shows_what_a_terminal_would() {
    let shown = |text: &str| {
        let mut screen = Screen { width: 6, ..Screen::default() };
        screen.write(text);
        screen.lines()
    };
    assert_eq!(shown("\u{1b}[1mab\u{1b}[0m\r\ncd\r\n"), ["ab", "cd"]);
    assert_eq!(shown("ab\r\ncd\r\n\u{1b}[2A\u{1b}[2K\u{1b}[1B\r\u{1b}[2Kx"), ["", "x"]);
    assert_eq!(shown("123456\r\n7"), ["123456", "7"], "a line that is just full does not go on below");
    assert_eq!(shown("1234567"), ["123456", "7"]);
    assert_eq!(shown("one\r\ntwo\r\n\u{1b}[1A\u{1b}[J"), ["one"]);
}
