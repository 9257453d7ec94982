//! Character classes: those of Perl, POSIX and Unicode.

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, HirKind};

/// Go's names of the general categories. There, `C` does not hold what is not assigned.
const CATEGORIES: &[&str] = &[
    "C", "Cc", "Cf", "Co", "Cs", "L", "Ll", "Lm", "Lo", "Lt", "Lu", "M", "Mc", "Me", "Mn", "N",
    "Nd", "Nl", "No", "P", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "S", "Sc", "Sk", "Sm", "So",
    "Z", "Zl", "Zp", "Zs",
];

/// Go's names of the scripts, all of them of more than three letters but two.
const SCRIPTS: &str = " Adlam Ahom Anatolian_Hieroglyphs Arabic Armenian Avestan Balinese Bamum \
    Bassa_Vah Batak Bengali Bhaiksuki Bopomofo Brahmi Braille Buginese Buhid Canadian_Aboriginal \
    Carian Caucasian_Albanian Chakma Cham Cherokee Chorasmian Common Coptic Cuneiform Cypriot \
    Cypro_Minoan Cyrillic Deseret Devanagari Dives_Akuru Dogra Duployan Egyptian_Hieroglyphs \
    Elbasan Elymaic Ethiopic Georgian Glagolitic Gothic Grantha Greek Gujarati Gunjala_Gondi \
    Gurmukhi Han Hangul Hanifi_Rohingya Hanunoo Hatran Hebrew Hiragana Imperial_Aramaic Inherited \
    Inscriptional_Pahlavi Inscriptional_Parthian Javanese Kaithi Kannada Katakana Kawi Kayah_Li \
    Kharoshthi Khitan_Small_Script Khmer Khojki Khudawadi Lao Latin Lepcha Limbu Linear_A Linear_B \
    Lisu Lycian Lydian Mahajani Makasar Malayalam Mandaic Manichaean Marchen Masaram_Gondi \
    Medefaidrin Meetei_Mayek Mende_Kikakui Meroitic_Cursive Meroitic_Hieroglyphs Miao Modi \
    Mongolian Mro Multani Myanmar Nabataean Nag_Mundari Nandinagari New_Tai_Lue Newa Nko Nushu \
    Nyiakeng_Puachue_Hmong Ogham Ol_Chiki Old_Hungarian Old_Italic Old_North_Arabian Old_Permic \
    Old_Persian Old_Sogdian Old_South_Arabian Old_Turkic Old_Uyghur Oriya Osage Osmanya \
    Pahawh_Hmong Palmyrene Pau_Cin_Hau Phags_Pa Phoenician Psalter_Pahlavi Rejang Runic Samaritan \
    Saurashtra Sharada Shavian Siddham SignWriting Sinhala Sogdian Sora_Sompeng Soyombo Sundanese \
    Syloti_Nagri Syriac Tagalog Tagbanwa Tai_Le Tai_Tham Tai_Viet Takri Tamil Tangsa Tangut Telugu \
    Thaana Thai Tibetan Tifinagh Tirhuta Toto Ugaritic Vai Vithkuqi Wancho Warang_Citi Yezidi Yi \
    Zanabazar_Square ";

/// A class of characters.
pub(super) fn class(ranges: &[(char, char)]) -> ClassUnicode {
    ClassUnicode::new(
        ranges
            .iter()
            .map(|(from, to)| ClassUnicodeRange::new(*from, *to)),
    )
}

/// Every character.
pub(super) fn any() -> ClassUnicode {
    class(&[('\0', char::MAX)])
}

/// The class of a letter behind a backslash, all lower case: digits, spaces, characters of words.
pub(super) fn perl(letter: u8) -> Option<ClassUnicode> {
    Some(match letter {
        b'd' => class(&[('0', '9')]),
        b's' => class(&[('\t', '\n'), ('\x0c', '\r'), (' ', ' ')]),
        b'w' => class(&[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')]),
        _ => return None,
    })
}

/// The class that `[:name:]` means.
pub(super) fn posix(name: &[u8]) -> Option<ClassUnicode> {
    Some(match name {
        b"alnum" => class(&[('0', '9'), ('A', 'Z'), ('a', 'z')]),
        b"alpha" => class(&[('A', 'Z'), ('a', 'z')]),
        b"ascii" => class(&[('\0', '\x7f')]),
        b"blank" => class(&[('\t', '\t'), (' ', ' ')]),
        b"cntrl" => class(&[('\0', '\x1f'), ('\x7f', '\x7f')]),
        b"digit" => class(&[('0', '9')]),
        b"graph" => class(&[('!', '~')]),
        b"lower" => class(&[('a', 'z')]),
        b"print" => class(&[(' ', '~')]),
        b"punct" => class(&[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')]),
        b"space" => class(&[('\t', '\r'), (' ', ' ')]),
        b"upper" => class(&[('A', 'Z')]),
        b"word" => class(&[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')]),
        b"xdigit" => class(&[('0', '9'), ('A', 'F'), ('a', 'f')]),
        _ => return None,
    })
}

/// The class of a category or a script by Go's name of it.
pub(super) fn unicode(name: &str) -> Option<ClassUnicode> {
    match name {
        "Any" => Some(any()),
        "Cs" => Some(ClassUnicode::empty()),
        "C" => {
            let mut all = unicode("Cc")?;
            all.union(&unicode("Cf")?);
            all.union(&unicode("Co")?);
            Some(all)
        }
        name if CATEGORIES.contains(&name) => table(&format!(r"\p{{gc={name}}}")),
        name if !name.contains(' ') && SCRIPTS.contains(&format!(" {name} ")) => {
            table(&format!(r"\p{{sc={name}}}"))
        }
        _ => None,
    }
}

/// A class out of the tables of the crate `regex-syntax`, by its own syntax.
fn table(pattern: &str) -> Option<ClassUnicode> {
    let parsed = regex_syntax::parse(pattern).ok()?;
    match parsed.kind() {
        HirKind::Class(Class::Unicode(class)) => Some(class.clone()),
        // A class of one character comes as that character.
        HirKind::Literal(literal) => {
            let char = std::str::from_utf8(&literal.0).ok()?.chars().next()?;
            Some(class(&[(char, char)]))
        }
        _ => None,
    }
}
