//! Escapes in JSON texts. A program that cuts a text within a character sends half of a surrogate pair, which is valid JSON, but
//! which no string can hold: it becomes `\u{fffd}`, the replacement character.

use std::borrow::Cow;

/// Resolves the escapes of a text; `quoted` is what stands between its quotes.
#[must_use]
pub fn resolved(quoted: &str) -> String {
    let mut text = String::with_capacity(quoted.len());
    let mut rest = quoted;
    while !rest.is_empty() {
        // Where one character is escaped, its neighbours usually are, too.
        while let Some(escape) = rest.strip_prefix('\\') {
            let (sign, behind) = read(escape);
            text.push(sign);
            rest = behind;
        }
        // Faster than a search if little is left.
        let length = rest.bytes().position(|byte| byte == b'\\').unwrap_or(rest.len());
        let (plain, behind) = rest.split_at(length);
        text.push_str(plain);
        rest = behind;
    }
    text
}

/// The same JSON with texts that every parser can read: halves of surrogate pairs are replaced.
#[must_use]
pub fn readable(json: &str) -> Cow<'_, str> {
    if !json.contains("\\u") {
        return Cow::Borrowed(json);
    }
    let mut whole = String::with_capacity(json.len());
    let mut rest = json;
    while let Some((plain, escape)) = rest.split_once('\\') {
        whole.push_str(plain);
        let (sign, behind) = read(escape);
        if sign == char::REPLACEMENT_CHARACTER {
            whole.push(sign);
        } else {
            whole.extend(["\\", escape.get(..escape.len() - behind.len()).unwrap_or_default()]);
        }
        rest = behind;
    }
    whole.push_str(rest);
    Cow::Owned(whole)
}

/// The character that an escape stands for, and what comes after the escape. `escape` begins after the backslash.
fn read(escape: &str) -> (char, &str) {
    if let Some((unit, behind)) = utf16(escape) {
        if let Some(sign) = char::from_u32(unit.into()) {
            return (sign, behind);
        }
        let second = behind.strip_prefix('\\').and_then(utf16);
        let pair = second.and_then(|(second, behind)| Some((char_of([unit, second])?, behind)));
        return pair.unwrap_or((char::REPLACEMENT_CHARACTER, behind));
    }
    let mut signs = escape.chars();
    let sign = match signs.next() {
        Some('b') => '\u{8}',
        Some('f') => '\u{c}',
        Some('n') => '\n',
        Some('r') => '\r',
        Some('t') => '\t',
        Some(sign) => sign,
        None => '\\',
    };
    (sign, signs.as_str())
}

/// A unit of UTF-16, written as `u4e2d`, and what comes after it.
fn utf16(escape: &str) -> Option<(u16, &str)> {
    let (digits, behind) = escape.split_at_checked(5)?;
    let [b'u', digits @ ..] = digits.as_bytes() else { return None };
    let digits = digits.iter().map(|digit| char::from(*digit).to_digit(16));
    let unit = digits.reduce(|unit, digit| Some(unit? << 4 | digit?))??;
    Some((u16::try_from(unit).ok()?, behind))
}

/// The character that two units of UTF-16 stand for; `None` if they are not a pair.
fn char_of(pair: [u16; 2]) -> Option<char> {
    char::decode_utf16(pair).next()?.ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn half_of_a_surrogate_pair_becomes_the_replacement_character() {
        for (quoted, text) in [
            (r"a\ud83d", "a\u{fffd}"),
            (r"\ude00\ud83db", "\u{fffd}\u{fffd}b"),
            (r"\ud83d\ud83d\ude00", "\u{fffd}😀"),
            (r"\ud83d\u0041", "\u{fffd}A"),
            (r"\ud83d\n", "\u{fffd}\n"),
            (r"\\ud83d", r"\ud83d"),
            (r"\\\ud83d\\", "\\\u{fffd}\\"),
            (r"\uD83D\uDE00", "😀"),
        ] {
            assert_eq!(resolved(quoted), text, "{quoted}");
            let json = format!("[\"{quoted}\"]");
            let whole: Vec<String> = serde_json::from_str(&readable(&json)).unwrap();
            assert_eq!(whole, [text], "{quoted}");
        }
    }

    proptest! {
        #[test]
        fn texts_without_lone_surrogates_are_read_as_serde_json_reads_them(
            pieces in prop::collection::vec(
                prop_oneof!["[ -~中😀]{0,3}".prop_map(|plain: String| plain.replace(['"', '\\'], "")),
                    r#"\\(["\\/bfnrt]|u[0-9a-cA-C][0-9a-fA-F]{3}|ud83d\\ude00)"#],
                0..12,
            ),
        ) {
            let quoted = pieces.concat();
            let json = format!("\"{quoted}\"");
            let text: Value = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(Value::from(resolved(&quoted)), text.clone());
            prop_assert_eq!(serde_json::from_str::<Value>(&readable(&json)).unwrap(), text);
        }

        #[test]
        fn making_a_text_readable_does_not_change_its_meaning(text in r#"(\\u|\\ud8|[\\u0-9a-f中"]){0,16}"#) {
            prop_assert_eq!(resolved(&readable(&text)), resolved(&text));
        }
    }
}
