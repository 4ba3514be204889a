//! Whole numbers that were sent with a fraction or an exponent: `3.0`, `4.2e1`. They are read to the last digit, because no float
//! is used.

/// The value of a number with a fraction or an exponent; `None` if it is not whole, or does not fit 64 bits.
pub(crate) fn integral(text: &str) -> Option<i64> {
    let (sign, unsigned) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.strip_suffix(rest)?, rest),
        None => ("", text),
    };
    let is_plain = |digits: &str| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let unsigned_exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    if ![whole, fraction, unsigned_exponent].into_iter().all(is_plain) {
        return None;
    }
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Some(0);
    }
    // How many digits, or zeros appended to them, stand before the point; more than 19 do not fit 64 bits.
    let behind = i64::try_from(fraction.len()).ok()?;
    let before = i64::try_from(digits.len()).ok()? - behind + exponent.parse::<i32>().map(i64::from).ok()?;
    let before = usize::try_from(before).ok().filter(|before| *before <= 19)?;
    let padded = format!("{digits:0<before$}");
    let (number, rest) = padded.split_at_checked(before)?;
    rest.bytes().all(|digit| digit == b'0').then(|| format!("{sign}{number}").parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_as_whole_only_if_it_is_whole_to_the_last_digit() {
        for (text, whole) in [
            ("3.0", Some(3)),
            ("-3.000", Some(-3)),
            ("+3.0", Some(3)),
            ("4.2e1", Some(42)),
            ("4200E-2", Some(42)),
            ("0.000e999", Some(0)),
            ("0e-99999999999", Some(0)),
            ("0e+1", Some(0)),
            ("0einf", None),
            ("0enan", None),
            ("0e1.5", None),
            ("0e+-1", None),
            ("0e", None),
            ("007.0", Some(7)),
            ("9007199254740993.0", Some(9_007_199_254_740_993)),
            ("-9.223372036854775808e18", Some(i64::MIN)),
            ("9.223372036854775808e18", None),
            ("1e19", None),
            ("1.00000000000000000000001", None),
            ("1e-400", None),
            ("1e99999999999", None),
            ("5.", None),
            (".5", None),
            ("inf", None),
            ("1e", None),
            ("1.2.3", None),
            ("", None),
            ("-", None),
        ] {
            assert_eq!(integral(text), whole, "{text}");
        }
    }
}
