//! The people of the sample: agents and customers from many countries, with contact data that reaches nobody.
//!
//! Names come from the lists below, e-mail addresses end in example.com or example.org, telephone numbers are from
//! ranges kept free for fiction. So a test can tell whether a person is in a file: [`super::names`] has all names.

use super::random::Random;

/// Where somebody comes from: names, cities and the language they write.
pub(super) struct Origin {
    /// The language, by its ISO 639-1 code.
    pub(super) language: &'static str,
    /// The locale of an agent from there.
    pub(super) locale: &'static str,
    /// The time zone of an agent from there.
    pub(super) timezone: &'static str,
    /// First names, women's and men's by turns.
    pub(super) first_names: [&'static str; 6],
    /// Last names.
    pub(super) last_names: [&'static str; 6],
    /// Cities.
    pub(super) cities: [&'static str; 3],
}

/// A person.
pub(super) struct Person {
    /// Where they come from.
    pub(super) origin: &'static Origin,
    /// Their first name.
    pub(super) first_name: &'static str,
    /// Their last name.
    pub(super) last_name: &'static str,
    /// `woman`, `man`, empty or unknown.
    pub(super) gender: Option<&'static str>,
    /// A number that no other person of their kind has.
    number: u64,
}

impl Person {
    /// The person that `random` draws, number `number` of their kind.
    pub(super) fn new(mut random: Random, number: u64) -> Person {
        let origin = &ORIGINS[random.below(ORIGINS.len() as u64) as usize];
        let first = random.below(origin.first_names.len() as u64) as usize;
        let gender = match random.below(10) {
            0 => None,
            1 => Some(""),
            _ if first.is_multiple_of(2) => Some("woman"),
            _ => Some("man"),
        };
        let last_name = random.pick(&origin.last_names);
        Person { origin, first_name: origin.first_names[first], last_name, gender, number }
    }

    /// First and last name.
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name)
    }

    /// What they call themselves in public.
    pub(super) fn handle(&self) -> String {
        match self.first_name.is_ascii() {
            true => format!("{}_{}", self.first_name.to_lowercase(), self.number),
            false => format!("{}{}", self.first_name, self.number),
        }
    }

    /// Their `nth` address for e-mail.
    pub(super) fn email(&self, nth: u64) -> String {
        let domain = ["example.com", "example.org", "mail.example.com"][nth as usize % 3];
        if self.first_name.is_ascii() && self.last_name.is_ascii() {
            let [first, last] = [self.first_name.to_lowercase(), self.last_name.to_lowercase()];
            format!("{first}.{last}.{}@{domain}", self.number)
        } else {
            format!("customer.{}@{domain}", self.number)
        }
    }

    /// Their `nth` telephone number.
    pub(super) fn phone(&self, nth: u64) -> String {
        let line = self.number * 7 + nth * 31;
        match (self.number + nth) % 3 {
            0 => format!("+1-555-01{:02}", line % 100),
            1 => format!("+44 7700 900{:03}", line % 1000),
            _ => format!("+33 1 99 00 {:02} {:02}", line / 100 % 100, line % 100),
        }
    }

    /// Where they live.
    pub(super) fn address(&self) -> String {
        format!("{} {}-Straße, \"Haus {}\"", self.number % 200 + 1, self.last_name, self.number % 9)
    }
}

/// All names that the sample gives to people, first and last.
pub fn names() -> Vec<&'static str> {
    ORIGINS.iter().flat_map(|origin| [origin.first_names, origin.last_names].concat()).collect()
}

/// Where people come from.
pub(super) const ORIGINS: [Origin; 11] = [
    Origin {
        language: "en",
        locale: "en-GB",
        timezone: "Europe/London",
        first_names: ["Harriet", "Desmond", "Rosalind", "Barnaby", "Winifred", "Leopold"],
        last_names: ["Ashcombe", "Pemberton", "Okonkwo", "O'Shaughnessy", "Fairbanks", "Thistlewood"],
        cities: ["Leeds", "Cardiff", "Belfast"],
    },
    Origin {
        language: "fr",
        locale: "fr-FR",
        timezone: "Europe/Paris",
        first_names: ["Élodie", "Gaëtan", "Océane", "Loïc", "Maëlle", "Thibault"],
        last_names: ["Lefèvre", "Châtelain", "Dubreuil", "Béranger", "Sauvageot", "N'Diaye"],
        cities: ["Orléans", "Besançon", "Nîmes"],
    },
    Origin {
        language: "de",
        locale: "de-DE",
        timezone: "Europe/Berlin",
        first_names: ["Käthe", "Jürgen", "Liesbeth", "Günther", "Friederike", "Wolfgang"],
        last_names: ["Müllerschön", "Großmann", "Übelacker", "Kirchhoff", "Schönfeld", "Jäger-Voß"],
        cities: ["Köln", "Würzburg", "Jena"],
    },
    Origin {
        language: "es",
        locale: "es-ES",
        timezone: "Europe/Madrid",
        first_names: ["Begoña", "Íñigo", "Ximena", "Joaquín", "Araceli", "Esteban"],
        last_names: ["Ibáñez", "Muñoz Peña", "Echeverría", "Quiñones", "Zubiri", "Villalobos"],
        cities: ["Córdoba", "Logroño", "Cádiz"],
    },
    Origin {
        language: "pl",
        locale: "pl-PL",
        timezone: "Europe/Warsaw",
        first_names: ["Małgorzata", "Zdzisław", "Łucja", "Wojciech", "Żaneta", "Bogusław"],
        last_names: ["Wiśniewska", "Dąbrowski", "Śliwińska", "Źródłowski", "Gołębiewska", "Pięta"],
        cities: ["Łódź", "Gdańsk", "Rzeszów"],
    },
    Origin {
        language: "el",
        locale: "el-GR",
        timezone: "Europe/Athens",
        first_names: ["Ευαγγελία", "Θεόδωρος", "Δήμητρα", "Γεώργιος", "Χρυσάνθη", "Λεωνίδας"],
        last_names: ["Παπαδοπούλου", "Ιωαννίδης", "Καραμανλή", "Οικονόμου", "Ξενάκη", "Ψαράς"],
        cities: ["Θεσσαλονίκη", "Πάτρα", "Ηράκλειο"],
    },
    Origin {
        language: "ru",
        locale: "ru-RU",
        timezone: "Europe/Moscow",
        first_names: ["Людмила", "Арсений", "Ксения", "Фёдор", "Зинаида", "Ярослав"],
        last_names: ["Щербакова", "Воробьёв", "Кузнецова", "Оболенский", "Цветаева", "Жуковский"],
        cities: ["Казань", "Тверь", "Омск"],
    },
    Origin {
        language: "ar",
        locale: "ar-EG",
        timezone: "Africa/Cairo",
        first_names: ["فاطمة", "يوسف", "زينب", "عبد الرحمن", "ياسمين", "طارق"],
        last_names: ["المنصوري", "الحداد", "الشريف", "القحطاني", "بن يوسف", "الزهراني"],
        cities: ["القاهرة", "الرباط", "عمّان"],
    },
    Origin {
        language: "he",
        locale: "he-IL",
        timezone: "Asia/Jerusalem",
        first_names: ["תמרה", "אלעזר", "שולמית", "נחמיה", "אביגיל", "יהונתן"],
        last_names: ["אברמוביץ", "בן־דוד", "רוזנבלום", "פרידלנדר", "הלפרין", "שטרנברג"],
        cities: ["חיפה", "באר שבע", "נתניה"],
    },
    Origin {
        language: "zh",
        locale: "zh-CN",
        timezone: "Asia/Shanghai",
        first_names: ["美玲", "志强", "雅婷", "建国", "淑芬", "𠮷祥"],
        last_names: ["欧阳", "司马", "诸葛", "上官", "慕容", "皇甫"],
        cities: ["成都", "杭州", "西安"],
    },
    Origin {
        language: "ja",
        locale: "ja-JP",
        timezone: "Asia/Tokyo",
        first_names: ["さくら", "健太郎", "陽子", "拓海", "美咲", "龍之介"],
        last_names: ["佐々木", "髙橋", "渡邊", "小笠原", "長谷川", "五十嵐"],
        cities: ["京都", "仙台", "那覇"],
    },
];
