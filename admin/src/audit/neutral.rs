//! Text of strangers, made harmless before it is shown (T66).
//!
//! Control characters, escape sequences, bidirectional and invisible characters become
//! visible as `\u{..}`; a table's cell never starts a formula.

/// `text` as a terminal may show it: one line, no character that acts.
pub fn line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    text.chars().for_each(|c| show(c, &mut out));
    out
}

/// All that a program says at once, as a terminal may show it: lines, tabs and the mark of a spreadsheet's UTF-8 stay,
/// and no other character acts.
pub fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut all = text.chars().peekable();
    out.extend(all.next_if_eq(&'\u{feff}'));
    while let Some(c) = all.next() {
        let ends_line = c == '\r' && all.peek() == Some(&'\n');
        if ends_line || matches!(c, '\n' | '\t') { out.push(c) } else { show(c, &mut out) }
    }
    out
}

fn show(c: char, out: &mut String) {
    if acts(c) {
        out.push_str(&format!("\\u{{{:x}}}", u32::from(c)));
    } else {
        out.push(c);
    }
}

/// One cell of a CSV file (RFC 4180) that no spreadsheet takes for a formula.
pub fn cell(text: &str) -> String {
    let mut shown = line(text);
    let first = shown.trim_start().chars().next();
    if first.is_some_and(|c| {
        matches!(c, '=' | '+' | '-' | '@' | '|' | '\u{ff1d}' | '\u{ff0b}' | '\u{ff0d}' | '\u{ff20}')
    }) {
        shown.insert(0, '\'');
    }
    if shown.contains(['"', ',', ';', '\'', ' ']) {
        shown = format!("\"{}\"", shown.replace('"', "\"\""));
    }
    shown
}

/// JSON as a terminal may show it: the same value, spelled without characters that act.
pub fn json(value: &serde_json::Value) -> String {
    let mut out = String::new();
    let mut units = [0; 2];
    for c in value.to_string().chars() {
        if acts(c) {
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// Text inside an HTML element or a quoted attribute.
pub fn html(text: &str) -> String {
    line(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

fn acts(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        )
        || matches!(c, '\u{180b}'..='\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
        || matches!(c, '\u{ffa0}' | '\u{fff0}'..='\u{ffff}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t66_a_terminal_sees_no_character_that_acts() {
        assert_eq!(
            line("a\u{1b}[31mb\u{202e}c\u{200b}\r\n\u{9b}1m"),
            "a\\u{1b}[31mb\\u{202e}c\\u{200b}\\u{d}\\u{a}\\u{9b}1m"
        );
        assert_eq!(line("山田 花子 😀"), "山田 花子 😀");
    }

    #[test]
    fn t66_a_whole_text_keeps_its_lines_and_no_other_character_that_acts() {
        let csv = "\u{feff}a,b\r\nc\td\n";
        assert_eq!(text(csv), csv);
        assert_eq!(
            text("a\rb\u{feff}\u{1b}[2J\u{202e}\u{200b}"),
            "a\\u{d}b\\u{feff}\\u{1b}[2J\\u{202e}\\u{200b}"
        );
    }

    #[test]
    fn t66_json_keeps_its_value_without_a_character_that_acts() {
        let value = serde_json::json!({ "a\u{202e}": "\u{9b}31m\u{1b}[0m \u{e0041} 山田 \"\\" });
        let shown = json(&value);
        assert!(!shown.chars().any(acts), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }

    #[test]
    fn t66_no_cell_is_a_formula() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "＝1", "|x"] {
            let cell = cell(formula);
            let bare = cell.trim_matches('"');
            assert!(bare.starts_with(['\'', '\\']), "{cell}");
        }
        assert_eq!(cell("plain"), "plain");
        assert_eq!(cell("a,\"b\""), "\"a,\"\"b\"\"\"");
    }

    #[test]
    fn t66_no_markup_comes_out_of_text() {
        assert_eq!(html("<a href='x\">&"), "&lt;a href=&#39;x&quot;&gt;&amp;");
    }
}
