//! Guesses: what an unknown key or word was meant to be.

use super::fault::Fault;
use super::keys::{self, Section};

/// Keys that are listed where none is like the unknown one.
const LISTED: usize = 10;

/// Completes a fault about an unknown key: what other programs' word for it means here, the table that it belongs to, the
/// key that it is a misspelling of, or those that are like it.
pub(super) fn advise(fault: Fault, key: &str, section: &Section) -> Fault {
    if let Some(answer) = keys::foreign_answer(section, key) {
        return fault.label("unknown").help(answer);
    }
    let headers = keys::elsewhere(section, key);
    if !headers.is_empty() {
        return fault.label(format!("a key of {}", headers.join(" and of ")));
    }
    if let Some(near) = nearest(key, section.names()) {
        return fault.label(format!("did you mean `{near}`?"));
    }
    let similar: Vec<String> = similar(key, section.names()).into_iter().map(|key| format!("`{key}`")).collect();
    let help = if similar.is_empty() {
        format!("known: {}; docs/reference.md explains them", list(section.names()))
    } else {
        format!("similar: {}; docs/reference.md lists all keys", similar.join(", "))
    };
    fault.label("unknown").help(help)
}

/// Keys in one line: all of a small table, the first of a large one.
fn list<'w>(keys: impl Iterator<Item = &'w str>) -> String {
    let mut keys: Vec<String> = keys.map(|key| format!("`{key}`")).collect();
    if keys.len() > LISTED {
        let others = keys.split_off(LISTED).len();
        keys.push(format!("and {others} others"));
    }
    keys.join(", ")
}

/// Completes a fault about an unknown word of a short list: the nearest known word, or if none is near, all of them.
pub(super) fn suggest<'w>(fault: Fault, word: &str, known: impl Iterator<Item = &'w str> + Clone) -> Fault {
    if let Some(near) = nearest(word, known.clone()) {
        return fault.label(format!("did you mean `{near}`?"));
    }
    let words: Vec<String> = known.map(|word| format!("`{word}`")).collect();
    fault.label("unknown").help(format!("known: {}", words.join(", ")))
}

/// The known word that `word` is most probably a misspelling of.
pub fn nearest<'w>(word: &str, known: impl Iterator<Item = &'w str> + Clone) -> Option<&'w str> {
    let word = word.to_lowercase();
    let mut longer = known.clone().filter(|candidate| word.len() >= 3 && candidate.to_lowercase().starts_with(&word));
    if let (Some(only), None) = (longer.next(), longer.next()) {
        return Some(only);
    }
    let scored = known.map(|candidate| (strsim::damerau_levenshtein(&word, &candidate.to_lowercase()), candidate));
    let (distance, candidate) = scored.min_by_key(|(distance, _)| *distance)?;
    let length = word.chars().count().max(candidate.chars().count());
    // Two slips at most: a word that is further off is another word.
    (distance <= ((length + 1) / 3).min(2)).then_some(candidate)
}

/// At most three known words that share a part with `word`, or much of their spelling; the most similar first.
fn similar<'w>(word: &str, known: impl Iterator<Item = &'w str>) -> Vec<&'w str> {
    let word = word.to_lowercase();
    let shares_a_part = |candidate: &str| {
        let mut parts = word.split(['_', '-']).filter(|part| part.len() >= 3);
        parts.any(|part| candidate.split('_').any(|other| other == part))
    };
    let score = |candidate: &str| {
        let spelling = strsim::normalized_damerau_levenshtein(&word, candidate);
        if shares_a_part(candidate) { spelling + 1.0 } else { spelling }
    };
    let mut scored: Vec<(f64, &str)> = known.map(|candidate| (score(candidate), candidate)).collect();
    scored.retain(|(score, _)| *score >= 0.6);
    scored.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    scored.into_iter().take(3).map(|(_, candidate)| candidate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guess_is_at_most_two_slips_away() {
        let keys = ["description", "directory", "filename", "host", "host_keys", "known_hosts"];
        let guess = |word| nearest(word, keys.into_iter());
        assert_eq!(
            (guess("filenmae"), guess("fielnmae"), guess("desc")),
            (Some("filename"), Some("filename"), Some("description"))
        );
        assert_eq!((guess("destination"), guess("dyrektori"), guess("post")), (None, None, Some("host")));
    }

    #[test]
    fn what_is_similar_is_listed_up_to_three() {
        let keys = ["host", "host_keys", "known_hosts", "key", "key_passphrase", "port", "host_of"];
        let like = |word| similar(word, keys.into_iter());
        assert_eq!(like("host_file"), ["host_keys", "host_of", "host"]);
        assert_eq!(like("colour"), Vec::<&str>::new());
    }
}
