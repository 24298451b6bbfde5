//! What people write in the sample: sentences in eleven languages, and the texts that break careless exports.

use std::borrow::Cow;

use super::random::Random;

/// What customers write and what agents answer in one language.
struct Phrases {
    language: &'static str,
    questions: [&'static str; 4],
    answers: [&'static str; 3],
}

/// Texts that a reader or writer of files may get wrong. None tells about a person. One more, of
/// [`LONGEST`] characters, follows them.
pub(super) const HOSTILE: [&str; 26] = [
    "",
    "comma, semicolon; tab\tpipe|caret^",
    "she said \"no\", then \"\"nothing\"\"",
    "first line\r\nsecond line\r\n",
    "first line\nsecond line",
    "first line\rsecond line",
    "  blanks on both sides  ",
    " ",
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1:A9)",
    "\ttab in front",
    "control characters \u{1}, \u{8}, \u{1b}[31m and \u{7f}",
    "👩‍👩‍👧‍👦 🇫🇷 👍🏽 ☎️",
    "עברית, אנגלית English, ومرة أخرى العربية \u{202e}reversed",
    "e\u{301} is not é, ﬁ is one letter, İ and ı, ẞ",
    "\u{feff}a byte order mark in front",
    "\\N and \\. and \\ at the end \\",
    "NULL",
    "it's 'quoted'; drop table messages; -- /* */",
    "{{mustache}} ${shell} %s %1$s &amp; <b>markup</b>",
    "line separator \u{2028} paragraph separator \u{2029} next line \u{85}",
    "\"",
    ",",
    "𠜎𠜱𠝹 four bytes each",
];

/// The length of the longest text, in characters: one more than a spreadsheet's cell takes.
pub(super) const LONGEST: usize = 32_768;

/// The `index`th text that a reader or writer of files may get wrong.
pub(super) fn hostile(index: u64) -> Option<Cow<'static, str>> {
    let index = index as usize;
    if index == HOSTILE.len() {
        return Some("Ω".repeat(LONGEST).into());
    }
    HOSTILE.get(index).map(|text| Cow::Borrowed(*text))
}

/// A text in `language`: what a customer writes, or what an agent answers. One to three sentences, in one line or
/// several.
pub(super) fn text(language: &str, answer: bool, random: &mut Random) -> String {
    let phrases = PHRASES.iter().find(|phrases| phrases.language == language).unwrap_or(&PHRASES[0]);
    let choices: &[&str] = if answer { &phrases.answers } else { &phrases.questions };
    let mut text = String::from(random.pick(choices));
    for _ in 0..random.below(2) + random.below(2) {
        text.push_str(random.pick(&[" ", " ", "\n", "\r\n", "\n\n"]));
        text.push_str(random.pick(choices));
    }
    if random.chance(15) {
        text.push_str(random.pick(&[" 🙂", " 😡", " 👍🏽", "\n📦 🚚", " ❤️"]));
    }
    text
}

/// The subject of a conversation in `language`.
pub(super) fn subject(language: &str, random: &mut Random) -> &'static str {
    let phrases = PHRASES.iter().find(|phrases| phrases.language == language).unwrap_or(&PHRASES[0]);
    random.pick(&phrases.questions)
}

const PHRASES: [Phrases; 11] = [
    Phrases {
        language: "en",
        questions: [
            "Where is my order? It was due on Monday, at the latest.",
            "I was charged twice; please refund \"the second payment\".",
            "The app doesn't open since the update.",
            "Can I change the delivery address?",
        ],
        answers: [
            "Thank you for your message. We are looking into it.",
            "The refund is on its way; it takes 3-5 working days.",
            "Please restart the application, then try again.",
        ],
    },
    Phrases {
        language: "fr",
        questions: [
            "Où est ma commande ? Elle devait arriver lundi…",
            "J’ai été débité deux fois, merci de rembourser.",
            "L'application ne s'ouvre plus depuis la mise à jour.",
            "Puis-je changer l'adresse de livraison ?",
        ],
        answers: [
            "Merci pour votre message, nous vérifions cela.",
            "Le remboursement est en cours : 3 à 5 jours ouvrés.",
            "Redémarrez l'application, puis réessayez.",
        ],
    },
    Phrases {
        language: "de",
        questions: [
            "Wo bleibt meine Bestellung? Sie sollte am Montag da sein.",
            "Mir wurde zweimal abgebucht; bitte erstatten Sie 49,90 €.",
            "Die App öffnet sich seit dem Update nicht mehr.",
            "Kann ich die Lieferadresse noch ändern?",
        ],
        answers: [
            "Vielen Dank für Ihre Nachricht, wir prüfen das.",
            "Die Erstattung ist unterwegs und dauert 3 bis 5 Werktage.",
            "Bitte starten Sie die App neu und versuchen Sie es noch einmal.",
        ],
    },
    Phrases {
        language: "es",
        questions: [
            "¿Dónde está mi pedido? Tenía que llegar el lunes.",
            "Me cobraron dos veces, ¡quiero mi dinero!",
            "La aplicación no se abre desde la actualización.",
            "¿Puedo cambiar la dirección de envío?",
        ],
        answers: [
            "Gracias por su mensaje, lo estamos revisando.",
            "El reembolso está en camino: de 3 a 5 días hábiles.",
            "Reinicie la aplicación y vuelva a intentarlo.",
        ],
    },
    Phrases {
        language: "pl",
        questions: [
            "Gdzie jest moje zamówienie? Miało przyjść w poniedziałek.",
            "Pobrano opłatę dwa razy, proszę o zwrot.",
            "Aplikacja nie otwiera się od aktualizacji.",
            "Czy mogę zmienić adres dostawy?",
        ],
        answers: [
            "Dziękujemy za wiadomość, sprawdzamy to.",
            "Zwrot jest w drodze, potrwa 3-5 dni roboczych.",
            "Proszę uruchomić aplikację ponownie.",
        ],
    },
    Phrases {
        language: "el",
        questions: [
            "Πού είναι η παραγγελία μου; Έπρεπε να έρθει τη Δευτέρα.",
            "Χρεώθηκα δύο φορές, παρακαλώ επιστροφή.",
            "Η εφαρμογή δεν ανοίγει μετά την ενημέρωση.",
            "Μπορώ να αλλάξω τη διεύθυνση παράδοσης;",
        ],
        answers: [
            "Ευχαριστούμε για το μήνυμα, το εξετάζουμε.",
            "Η επιστροφή χρημάτων είναι καθ' οδόν.",
            "Επανεκκινήστε την εφαρμογή και δοκιμάστε ξανά.",
        ],
    },
    Phrases {
        language: "ru",
        questions: [
            "Где мой заказ? Он должен был прийти в понедельник.",
            "С меня списали деньги дважды, верните, пожалуйста.",
            "Приложение не открывается после обновления.",
            "Можно изменить адрес доставки?",
        ],
        answers: [
            "Спасибо за сообщение, мы проверяем.",
            "Возврат уже в пути: 3-5 рабочих дней.",
            "Перезапустите приложение и попробуйте снова.",
        ],
    },
    Phrases {
        language: "ar",
        questions: [
            "أين طلبي؟ كان يجب أن يصل يوم الاثنين.",
            "تم خصم المبلغ مرتين، أرجو إعادة المال.",
            "التطبيق لا يفتح منذ التحديث.",
            "هل يمكنني تغيير عنوان التوصيل؟",
        ],
        answers: [
            "شكرا لرسالتك، نحن نراجع الأمر.",
            "المبلغ في الطريق إليك خلال 3-5 أيام عمل.",
            "أعد تشغيل التطبيق ثم حاول مرة أخرى.",
        ],
    },
    Phrases {
        language: "he",
        questions: [
            "איפה ההזמנה שלי? היא הייתה אמורה להגיע ביום שני.",
            "חויבתי פעמיים, אנא החזירו את הכסף.",
            "האפליקציה לא נפתחת מאז העדכון.",
            "אפשר לשנות את כתובת המשלוח?",
        ],
        answers: [
            "תודה על ההודעה, אנחנו בודקים.",
            "ההחזר בדרך, בתוך 3-5 ימי עסקים.",
            "הפעילו מחדש את האפליקציה ונסו שוב.",
        ],
    },
    Phrases {
        language: "zh",
        questions: [
            "我的订单在哪里？本来应该星期一到的。",
            "我被扣了两次款，请退款。",
            "更新之后应用打不开了。",
            "可以更改收货地址吗？",
        ],
        answers: [
            "感谢您的留言，我们正在核实。",
            "退款已在处理中，需要3到5个工作日。",
            "请重新启动应用，然后再试一次。",
        ],
    },
    Phrases {
        language: "ja",
        questions: [
            "注文した商品はどこですか。月曜日に届く予定でした。",
            "二重に請求されました。返金してください。",
            "更新後にアプリが開きません。",
            "配送先を変更できますか？",
        ],
        answers: [
            "お問い合わせありがとうございます。確認いたします。",
            "返金の手続き中です。3〜5営業日かかります。",
            "アプリを再起動して、もう一度お試しください。",
        ],
    },
];
