//! Members of a response → names of columns.

use std::collections::HashSet;

/// Names of one table: each once, none too long.
pub(super) struct Names {
    taken: HashSet<String>,
    longest: usize,
}

impl Names {
    /// Names of at most `longest` bytes that are none of `reserved`.
    pub(super) fn new(longest: usize, reserved: &[&str]) -> Self {
        Names {
            taken: reserved.iter().map(|name| (*name).to_owned()).collect(),
            longest,
        }
    }

    /// The column's name for a member; where that is taken, with a number.
    pub(super) fn choose(&mut self, path: &[&str]) -> String {
        let name = snake_case(&path.join("_"));
        let name = if name.is_empty() { "value" } else { &name };
        let mut number = 1;
        loop {
            let suffix = match number {
                1 => String::new(),
                number => format!("_{number}"),
            };
            let chosen = format!("{}{suffix}", shortened(name, self.longest - suffix.len()));
            if self.taken.insert(chosen.clone()) {
                return chosen;
            }
            number += 1;
        }
    }
}

fn shortened(name: &str, bytes: usize) -> &str {
    let mut end = name.len().min(bytes);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name[..end].trim_end_matches('_')
}

/// `createdAt`, `Created At`, `created-at` → `created_at`; `HTMLUrl` → `html_url`.
pub(super) fn snake_case(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut name = String::with_capacity(text.len() + 8);
    for (index, character) in characters.iter().enumerate() {
        if !character.is_alphanumeric() {
            if !name.is_empty() && !name.ends_with('_') {
                name.push('_');
            }
            continue;
        }
        let before = index.checked_sub(1).map(|before| characters[before]);
        let after = characters.get(index + 1);
        let begins_word = character.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase()
                    || before.is_numeric()
                    || (before.is_uppercase() && after.is_some_and(|after| after.is_lowercase()))
            });
        if begins_word && !name.ends_with('_') {
            name.push('_');
        }
        name.extend(character.to_lowercase());
    }
    name.trim_end_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_by_case_and_by_what_is_no_letter() {
        for (text, name) in [
            ("id", "id"),
            ("createdAt", "created_at"),
            ("CreatedAt", "created_at"),
            ("Created At", "created_at"),
            ("created-at", "created_at"),
            ("@odata.id", "odata_id"),
            ("HTMLUrl", "html_url"),
            ("userID", "user_id"),
            ("IDs", "i_ds"),
            ("_source", "source"),
            ("a__b", "a_b"),
            ("iso3166Code", "iso3166_code"),
            ("Größe", "größe"),
            ("2fa", "2fa"),
            ("$", ""),
        ] {
            assert_eq!(snake_case(text), name, "{text}");
        }
    }

    #[test]
    fn a_name_is_given_once_and_fits() {
        let mut names = Names::new(10, &["xmin"]);
        let mut choose = |path: &[&str]| names.choose(path);
        assert_eq!(choose(&["user", "login"]), "user_login");
        assert_eq!(choose(&["userLogin"]), "user_log_2");
        assert_eq!(choose(&["userLogin"]), "user_log_3");
        assert_eq!(choose(&["xmin"]), "xmin_2");
        assert_eq!(choose(&["$"]), "value");
        assert_eq!(choose(&["ääääääää"]), "äääää");
    }
}
