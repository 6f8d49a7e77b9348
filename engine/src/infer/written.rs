//! Paths as options write them: the opposite of reading them.

use crate::model::Segment;

/// A path to a member of a response.
pub(super) fn path(segments: &[Segment]) -> String {
    let is_plain = |segment: &Segment| !segment.is_empty() && !segment.contains('.');
    let dotted = segments.join(".");
    let is_special = dotted.starts_with(['/', '$', '@']) || dotted == "auto";
    if segments.iter().all(is_plain) && !is_special {
        return dotted;
    }
    let escaped = segments
        .iter()
        .map(|segment| segment.replace('~', "~0").replace('/', "~1"));
    escaped.fold(String::new(), |pointer, segment| pointer + "/" + &segment)
}

/// Where the rows are.
pub(super) fn rows(segments: &[Segment]) -> String {
    if segments.is_empty() {
        return "$".to_owned();
    }
    path(segments)
}

/// A text of the API inside of a line of a comment: without line breaks and other control characters, and not long.
pub(super) fn shown(text: &str) -> String {
    const MOST: usize = 100;
    let mut shown = String::new();
    for (index, character) in text.chars().enumerate() {
        if index == MOST {
            shown.push_str("...");
            break;
        }
        match character {
            character if character.is_control() || is_separator(character) => {
                shown.extend(character.escape_unicode());
            }
            character => shown.push(character),
        }
    }
    shown
}

/// Line and paragraph separators, and what changes the direction of text on the screen.
fn is_separator(character: char) -> bool {
    matches!(character, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::model::FieldPath;
    use crate::model::options::fixture;
    use crate::model::{Role, RowsPath, Type};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_as_the_same_path(
            segments in proptest::collection::vec("[a-z./~$@\\[\\] 0-9]{0,4}|auto", 1..4),
        ) {
            let (written_rows, written_field) = (rows(&segments), path(&segments));
            let table = fixture::table(
                &[],
                &[("rows", &written_rows)],
                &[("c", Type::Text, &[("field", &written_field)])],
            );
            prop_assert_eq!(&table.rows, &RowsPath::Path(segments.clone()));
            prop_assert_eq!(&table.columns[0].role, &Role::Field(FieldPath::Path(segments)));
        }
    }

    #[test]
    fn a_text_stays_on_its_line() {
        assert_eq!(
            shown("a\nDROP TABLE t; --\r"),
            "a\\u{a}DROP TABLE t; --\\u{d}"
        );
        assert_eq!(shown(&"ä".repeat(200)).chars().count(), 103);
    }
}
