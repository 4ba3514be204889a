//! The table of viewers: its columns and rows as JSON, for the page's own script.

use serde_json::{Value, json};

use super::audience::{Audience, DEEDS, Deed, Person};
use super::figures;

/// One column: its name in Chinese and in English, the kind of its values, and how to get a person's value.
struct Column {
    zh: &'static str,
    en: &'static str,
    kind: &'static str,
    value: fn(&Person) -> Value,
    /// Whether it is left out on paper, which is too narrow for all.
    is_aside: bool,
}

impl Column {
    fn aside(self) -> Self {
        Self { is_aside: true, ..self }
    }
}

fn join(values: &std::collections::BTreeSet<String>) -> Value {
    if values.is_empty() {
        return Value::Null;
    }
    json!(values.iter().map(String::as_str).collect::<Vec<_>>().join(", "))
}

fn column(zh: &'static str, en: &'static str, kind: &'static str, value: fn(&Person) -> Value) -> Column {
    Column { zh, en, kind, value, is_aside: false }
}

fn columns() -> Vec<Column> {
    // What is looked for first stands first: a screen shows about half of them at once.
    vec![
        column("姓名", "Name", "text", |person| json!(person.name)),
        column("公司", "Company", "text", |person| json!(person.company)),
        column("直播时长", "Watched live", "seconds", |person| json!(person.live.seconds)),
        column("回放时长", "Watched replays", "seconds", |person| json!(person.replay.seconds)),
        column("手机号", "Mobile", "text", |person| json!(person.mobile)),
        column("邮箱", "E-mail", "text", |person| json!(person.email)),
        column("首次上线", "Came", "text", |person| json!(person.came.map(|(_, came)| shown(came)))),
        column("最后下线", "Left", "text", |person| json!(person.left.map(|(_, left)| shown(left)))),
        column("直播次数", "Live viewings", "number", |person| json!(person.live.viewings)),
        column("回放次数", "Replays", "number", |person| json!(person.replay.viewings)),
        column("互动", "Engagement", "number", |person| {
            json!(person.deeds.iter().fold(0_i64, |sum, deeds| sum.saturating_add(*deeds)))
        })
        .aside(),
        column("地域", "Region", "text", |person| join(&person.regions)).aside(),
        column("终端", "Device", "text", |person| join(&person.devices)).aside(),
        column("第三方ID", "ext_id", "text", |person| json!(person.ext_id)).aside(),
    ]
}

fn shown(time: jiff::civil::DateTime) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// The table as JSON, viewers who watched longest first. A column without any value, such as one that the lake does not keep, is
/// left out. The JSON can be put into a script element.
pub(super) fn json(audience: &Audience) -> String {
    let mut people: Vec<&Person> = audience.viewers().collect();
    people.sort_by(|one, other| {
        other.all.seconds.cmp(&one.all.seconds).then_with(|| one.name.cmp(&other.name))
    });
    let columns: Vec<Column> = columns()
        .into_iter()
        .filter(|column| people.iter().any(|person| !(column.value)(person).is_null()))
        .collect();
    let rows: Vec<Vec<Value>> =
        people.iter().map(|person| columns.iter().map(|column| (column.value)(person)).collect()).collect();
    let columns: Vec<Value> = columns
        .iter()
        .map(|Column { zh, en, kind, is_aside, .. }| json!({ "zh": zh, "en": en, "kind": kind, "aside": is_aside }))
        .collect();
    let text = json!({ "columns": columns, "rows": rows }).to_string();
    // Nothing in it may end the script element.
    text.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

/// How often something was done.
pub(super) struct DeedLine {
    pub(super) deed: Deed,
    pub(super) sum: i64,
    /// The average of the people who can be told apart; a dash if there is nobody.
    pub(super) average: String,
}

/// What viewers did: its name in Chinese and in English, the sum over everybody who came, and the average of those who can be
/// told apart.
pub(super) fn deeds(audience: &Audience) -> Vec<DeedLine> {
    let (all, told) = (figures::deeds(audience.attending()), figures::deeds(audience.viewers()));
    let people = audience.viewers().count();
    // Rounded as SQL rounds: halves away from zero.
    #[allow(clippy::cast_precision_loss, reason = "an average with two digits")]
    let average = |sum: i64| format!("{:.2}", (sum as f64 / people as f64 * 100.0).round() / 100.0);
    let shown = |sum: i64| if people > 0 { average(sum) } else { "–".to_owned() };
    let line = |((deed, sum), told)| DeedLine { deed, sum, average: shown(told) };
    DEEDS.into_iter().zip(all).zip(told).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_viewer_writes_cannot_end_the_script_and_a_column_without_values_is_left_out() {
        let mut audience = Audience::default();
        let name = Some("</script><b>\u{2028}".to_owned());
        audience.people.push(Person { is_identified: true, name, ..Person::default() });
        let text = json(&audience);
        assert!(!text.contains('<') && !text.contains('\u{2028}'), "{text}");
        assert!(text.contains("\\u003c/script>"), "{text}");
        assert!(!text.contains("E-mail"), "{text}");
        let parsed: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(parsed["rows"][0][0], "</script><b>\u{2028}");
    }

    #[test]
    fn an_average_is_rounded_as_sql_rounds_it() {
        // What `round(sum / people, 2)` is in DuckDB.
        for (sum, people, rounded) in [(1, 8, "0.13"), (5, 8, "0.63"), (23, 40, "0.57"), (6, 3, "2.00")] {
            let mut audience = Audience::default();
            audience.people.resize_with(people, || Person { is_identified: true, ..Person::default() });
            audience.people[0].deeds[0] = sum;
            assert_eq!(deeds(&audience)[0].average, rounded, "{sum} among {people}");
        }
    }
}
