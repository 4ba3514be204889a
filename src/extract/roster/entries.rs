//! The entries of a page of a list, whatever the vendor wraps them in. Pure.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// The entries of a page: `data` itself if it is an array, otherwise the array in its field `list` or in another field. Without
/// an array, the page is empty if the field `list` says so, or any other field if there is no `list`, and no field is an object
/// with content: the vendor's documentation does not say what it sends for an empty page. Otherwise `None`.
pub(super) fn entries(data: &RawValue) -> Option<Vec<Box<RawValue>>> {
    if let Ok(entries) = serde_json::from_str::<Option<_>>(data.get()) {
        return Some(entries.unwrap_or_default());
    }
    if is_empty(data) {
        return Some(Vec::new());
    }
    let fields = fields(data)?;
    let mut named_first = fields.get("list").into_iter().chain(fields.values());
    let array = named_first.find_map(|field| serde_json::from_str(field.get()).ok());
    let says_so = match fields.get("list") {
        Some(list) => is_null(list) || is_empty(list) && total(data).unwrap_or_default() == 0,
        None => fields.is_empty() || fields.values().any(|field| is_null(field)),
    };
    let has_none = says_so && fields.values().all(|field| !field.get().starts_with('{') || is_empty(field));
    array.or_else(|| has_none.then(Vec::new))
}

/// How many events the whole list has, if `data` states that in its field `count`.
pub(super) fn total(data: &RawValue) -> Option<usize> {
    fields(data)?.get("count")?.get().trim_matches('"').parse().ok()
}

/// Whether an answer says nothing at all, not even that a list is empty; or contradicts itself: it states how many events the list
/// has, and has null in place of them.
pub(super) fn is_blank(data: &RawValue) -> bool {
    let is_null_list =
        || fields(data).is_some_and(|fields| fields.get("list").is_some_and(|list| is_null(list)));
    is_empty(data) || total(data).is_some_and(|total| total > 0) && is_null_list()
}

fn fields(data: &RawValue) -> Option<BTreeMap<String, Box<RawValue>>> {
    serde_json::from_str(data.get()).ok()
}

/// Whether a value says that there is nothing.
fn is_empty(value: &RawValue) -> bool {
    let text: String = value.get().split_whitespace().collect();
    is_null(value) || matches!(text.as_str(), r#""""# | r#""-""# | "{}")
}

fn is_null(value: &RawValue) -> bool {
    matches!(value.get(), "null" | "0" | r#""0""#)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entries_of_a_page_are_found_whatever_they_are_wrapped_in() {
        for (data, count) in [
            ("[1, 2]", Some(2)),
            (r#"{"count": 2, "list": [1, 2]}"#, Some(2)),
            (r#"{"records": [], "total": 0}"#, Some(0)),
            (r#"{"records": null, "page": 3}"#, Some(0)),
            (r#"{"total": 0}"#, Some(0)),
            ("null", Some(0)),
            ("{}", Some(0)),
            (r#"{"total": 7}"#, None),
            (r#"{"page": 0, "result": {"list": [1]}}"#, None),
            (r#"{"page": 0, "records": [1]}"#, Some(1)),
            (r#"{"hosts": [1], "list": [1, 2]}"#, Some(2)),
            ("7", None),
            (r#""""#, Some(0)),
            (r#""-""#, Some(0)),
            (r#"{"count": "0"}"#, Some(0)),
            (r#"{"count": 0, "list": { }}"#, Some(0)),
            (r#"{"list": ""}"#, Some(0)),
            (r#"{"count": 3, "list": {"1": 2}}"#, None),
            (r#"{"count": 3, "list": {}}"#, None),
            (r#"{"count": 3, "list": "-"}"#, None),
            (r#"{"count": 3, "title": ""}"#, None),
        ] {
            let data = RawValue::from_string(data.to_owned()).unwrap();
            assert_eq!(entries(&data).map(|found| found.len()), count, "{data}");
        }
    }

    #[test]
    fn a_page_is_blank_if_it_does_not_say_that_there_is_nothing() {
        for (data, expected) in [
            ("null", true),
            ("{}", true),
            (r#"{"count": 7, "list": null}"#, true),
            (r#"{"count": 0, "list": null}"#, false),
            (r#"{"list": null}"#, false),
            (r#"{"count": 7, "list": []}"#, false),
            ("[]", false),
        ] {
            let data = RawValue::from_string(data.to_owned()).unwrap();
            assert_eq!(is_blank(&data), expected, "{data}");
        }
    }

    #[test]
    fn the_total_of_a_list_is_its_count() {
        for (data, expected) in [
            (r#"{"count": 15, "list": [1]}"#, Some(15)),
            (r#"{"count": "15", "list": [1]}"#, Some(15)),
            (r#"{"count": null, "list": [1]}"#, None),
            (r#"{"list": [1]}"#, None),
            ("[1]", None),
        ] {
            let data = RawValue::from_string(data.to_owned()).unwrap();
            assert_eq!(total(&data), expected, "{data}");
        }
    }
}
