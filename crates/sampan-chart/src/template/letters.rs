//! What Go takes for a letter or a digit in names.

use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory as _};

/// Whether a name can hold the character: an underscore, a letter or a decimal digit of any script.
pub(super) fn is_alphanumeric(rune: char) -> bool {
    if rune.is_ascii() {
        return rune == '_' || rune.is_ascii_alphanumeric();
    }
    rune.general_category_group() == GeneralCategoryGroup::Letter
        || rune.general_category() == GeneralCategory::DecimalNumber
}

/// Whether Go's templates take the character for a blank.
pub(super) fn is_space(rune: char) -> bool {
    matches!(rune, ' ' | '\t' | '\r' | '\n')
}
