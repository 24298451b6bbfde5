//! Letters without their marks: `é` as `e`, `ß` as `ss`, `ø` as `o`.

/// Both ways to write `word` in plain letters: marks left out (`schuler`), and written out (`schueler`).
pub(super) fn spellings(word: &str) -> [String; 2] {
    let (mut plain, mut written_out) = (String::new(), String::new());
    for letter in word.chars() {
        fold(letter, &mut plain);
        match letter {
            'ä' => written_out.push_str("ae"),
            'ö' | 'ø' => written_out.push_str("oe"),
            'ü' => written_out.push_str("ue"),
            'å' => written_out.push_str("aa"),
            letter => fold(letter, &mut written_out),
        }
    }
    [plain, written_out]
}

/// Marks that some systems write as characters of their own after the letter.
pub(super) fn is_combining(letter: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&letter)
}

/// Adds `letter` to `word` in small letters without marks.
pub(super) fn fold(letter: char, word: &mut String) {
    for letter in letter.to_lowercase() {
        match letter {
            'à'..='å' | 'ā' | 'ă' | 'ą' => word.push('a'),
            'ç' | 'ć' | 'č' => word.push('c'),
            'ď' | 'đ' | 'ð' => word.push('d'),
            'è'..='ë' | 'ē' | 'ė' | 'ę' | 'ě' => word.push('e'),
            'ğ' => word.push('g'),
            'ì'..='ï' | 'ī' | 'į' | 'ı' => word.push('i'),
            'ł' | 'ľ' => word.push('l'),
            'ñ' | 'ń' | 'ň' => word.push('n'),
            'ò'..='ö' | 'ø' | 'ō' | 'ő' => word.push('o'),
            'ř' => word.push('r'),
            'ś' | 'š' | 'ş' | 'ș' => word.push('s'),
            'ť' | 'ţ' | 'ț' => word.push('t'),
            'ù'..='ü' | 'ū' | 'ů' | 'ű' => word.push('u'),
            'ý' | 'ÿ' => word.push('y'),
            'ź' | 'ż' | 'ž' => word.push('z'),
            'ß' => word.push_str("ss"),
            'æ' => word.push_str("ae"),
            'œ' => word.push_str("oe"),
            'þ' => word.push_str("th"),
            // What lower-casing leaves behind of a capital with a dot.
            letter if is_combining(letter) => {}
            letter => word.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_left_out_or_written_out() {
        for (word, plain, written_out) in [
            ("schüler", "schuler", "schueler"),
            ("månedsløn", "manedslon", "maanedsloen"),
            ("straße", "strasse", "strasse"),
            ("æble", "aeble", "aeble"),
            ("prénom", "prenom", "prenom"),
            ("płeć", "plec", "plec"),
            ("word", "word", "word"),
        ] {
            assert_eq!(spellings(word), [plain, written_out], "{word}");
        }
    }
}
