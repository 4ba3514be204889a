//! One key for one person, so that the three tables and a customer's list join.

/// The key: the mobile number as plus and digits (E.164), else the mail address in lower case, else the customer's own
/// identifier; none without any of them.
#[must_use]
pub fn key(
    mobile: Option<&str>,
    country_code: Option<&str>,
    email: Option<&str>,
    ext_id: Option<&str>,
) -> Option<String> {
    mobile
        .and_then(|mobile| e164(mobile, country_code))
        .or_else(|| email.map(|email| email.trim().to_lowercase()))
        .or_else(|| ext_id.map(|ext_id| ext_id.trim().to_owned()))
}

/// A number as plus, country and digits. One without a country takes `country_code`, else China's.
fn e164(mobile: &str, country_code: Option<&str>) -> Option<String> {
    let written = mobile.trim();
    let foreign = |character: char| !(character.is_ascii_digit() || " -().+".contains(character));
    if written.contains(foreign) || written.rfind('+').is_some_and(|at| at > 0) {
        return None;
    }
    let country = country_code.map(digits).filter(|code| !code.is_empty()).unwrap_or_else(|| "86".to_owned());
    let number = digits(written);
    let full = if written.starts_with('+') {
        number
    } else if let Some(number) = number.strip_prefix("00") {
        number.to_owned()
    } else if country == "86" && number.len() == 13 && number.starts_with("861") {
        number
    } else {
        format!("{country}{number}")
    };
    // E.164 allows 15 digits; the shortest numbers in use have 7 with their country.
    (7..=15).contains(&full.len()).then(|| format!("+{full}"))
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_a_number_gives_one_key() {
        for (mobile, country) in [
            ("+86-19000101106", None),
            ("19000101106", None),
            ("19000101106", Some("+86")),
            ("+8619000101106", Some("+1")),
            ("0086 190 0010 1106", None),
            ("8619000101106", None),
        ] {
            assert_eq!(key(Some(mobile), country, None, None).as_deref(), Some("+8619000101106"), "{mobile}");
        }
        assert_eq!(key(Some("(212) 555-0100"), Some("1"), None, None).as_deref(), Some("+12125550100"));
    }

    #[test]
    fn what_is_no_number_gives_way_to_the_next_identifier() {
        let email = Some("Li.Wei@Example.com ");
        for mobile in ["190****1106", "anonymous", "12", "1+2", "12345678901234567890"] {
            assert_eq!(
                key(Some(mobile), None, email, None).as_deref(),
                Some("li.wei@example.com"),
                "{mobile}"
            );
        }
        assert_eq!(key(None, None, None, Some("C-77")).as_deref(), Some("C-77"));
        assert_eq!(key(None, Some("+86"), None, None), None);
    }
}
