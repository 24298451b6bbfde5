//! Identifiers as lists of words: `BillingAddr_2`, `fechaNacimiento` and `shippostalcode` as people read them.
//!
//! Databases have no spelling rules. Words are told apart by separators, by case and by digits, diacritics are folded
//! (`é` to `e`, `ß` to `ss`, `ø` to `o`), and what was written in one piece is cut along the words of the dictionary,
//! because PostgreSQL folds `ShipPostalCode` to `shippostalcode` and German builds `Geburtsdatum`.

use super::dictionary::{Dictionary, dictionary};
use super::spelling::{fold, is_combining};

/// Words of fewer letters are found inside of others by accident (`age` in `mileage`), except these.
const SHORT: [&str; 12] = ["id", "ip", "no", "nr", "of", "at", "to", "tel", "fax", "zip", "plz", "adr"];
const SHORTEST: usize = 4;

/// What German, Danish and Dutch put between the words of a compound.
const LINKS: [&str; 5] = ["s", "n", "e", "en", "es"];

/// The words of `identifier` in their order: folded to lower-case, known ones in the singular, digits left out.
pub(super) fn words(identifier: &str) -> Vec<String> {
    let dictionary = dictionary();
    let mut words = Vec::new();
    for piece in pieces(identifier) {
        match dictionary.singular(&piece) {
            Some(known) => words.push(known.to_owned()),
            None => words.extend(compound(&piece, dictionary).unwrap_or_else(|| vec![piece])),
        }
    }
    words
}

/// The letters of `identifier`, folded, as one word.
pub(super) fn folded(identifier: &str) -> String {
    pieces(identifier).concat()
}

/// Cuts at everything that is no letter, before a capital after a small letter, and before the last capital of a
/// row of them (`IPAddress`).
fn pieces(identifier: &str) -> Vec<String> {
    let letters: Vec<char> = identifier.chars().filter(|letter| !is_combining(*letter)).collect();
    let mut pieces = Vec::new();
    let mut piece = String::new();
    for (at, &letter) in letters.iter().enumerate() {
        let is_upper = |at: Option<usize>| at.and_then(|at| letters.get(at)).is_some_and(|c| c.is_uppercase());
        let is_lower = |at: Option<usize>| at.and_then(|at| letters.get(at)).is_some_and(|c| c.is_lowercase());
        let before = at.checked_sub(1);
        let starts_word = letter.is_uppercase() && (is_lower(before) || is_upper(before) && is_lower(Some(at + 1)));
        if !letter.is_alphabetic() || starts_word {
            pieces.push(std::mem::take(&mut piece));
        }
        if letter.is_alphabetic() {
            fold(letter, &mut piece);
        }
    }
    pieces.push(piece);
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

/// The fewest known words that make up `piece` without a rest.
fn compound(piece: &str, dictionary: &Dictionary) -> Option<Vec<String>> {
    if !piece.is_ascii() {
        return None;
    }
    // For every length, the words that cover as much of the piece.
    let mut covered: Vec<Option<Vec<&str>>> = vec![None; piece.len() + 1];
    covered[0] = Some(Vec::new());
    for end in 1..=piece.len() {
        for start in 0..end {
            let Some(words) = &covered[start] else { continue };
            let part = &piece[start..end];
            let is_inside = start > 0 && end < piece.len();
            let word = match dictionary.singular(part) {
                Some(word) if part.len() >= SHORTEST || SHORT.contains(&part) => Some(word),
                _ if is_inside && LINKS.contains(&part) => None,
                _ => continue,
            };
            let longer: Vec<&str> = words.iter().copied().chain(word).collect();
            if covered[end].as_ref().is_none_or(|shortest| longer.len() < shortest.len()) {
                covered[end] = Some(longer);
            }
        }
    }
    let words = covered.pop().flatten()?;
    Some(words.into_iter().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_identifiers_as_people_do() {
        for (identifier, expected) in [
            ("first_name", "first name"),
            ("FirstName", "first name"),
            ("IPAddress", "ip address"),
            ("clientIP", "client ip"),
            ("customerID", "customer id"),
            ("address2", "address"),
            ("zip code", "zip code"),
            ("E-Mail_1", "e mail"),
            ("shippostalcode", "ship postalcode"),
            ("customerid", "customer id"),
            ("Geburtsdatum", "geburt datum"),
            ("Straße", "strasse"),
            ("fødselsdato", "fodsel dato"),
            ("Contraseña", "contrasena"),
            ("prénom", "prenom"),
            ("pre\u{301}nom", "prenom"),
            ("countries", "country"),
            ("addresses", "address"),
            ("order\"; --", "order"),
            ("mileage", "mileage"),
            ("hotel", "hotel"),
            ("姓名", "姓名"),
            ("電話2", "電話"),
            ("", ""),
            ("_", ""),
        ] {
            assert_eq!(words(identifier).join(" "), expected, "{identifier}");
        }
    }
}
