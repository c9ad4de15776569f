//! The words of an expression: names, texts in quotation marks, numbers and signs.

use super::Refused;

/// One word.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Word {
    /// A keyword or a property: `configuration.instanceType`.
    Name(String),
    /// `'text'`; two quotation marks stand for one.
    Text(String),
    Number(f64),
    /// `( ) , = < > <= >= != <> *`
    Sign(&'static str),
}

const SIGNS: [&str; 11] = ["<=", ">=", "!=", "<>", "(", ")", ",", "=", "<", ">", "*"];

/// Splits an expression.
pub(super) fn split(text: &str) -> Result<Vec<Word>, Refused> {
    let mut words = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (word, left) = first(rest)?;
        words.push(word);
        rest = left.trim_start();
    }
    Ok(words)
}

fn first(text: &str) -> Result<(Word, &str), Refused> {
    if let Some(quoted) = text.strip_prefix('\'') {
        return quoted_text(quoted);
    }
    if let Some(sign) = SIGNS.iter().find(|sign| text.starts_with(**sign)) {
        return Ok((Word::Sign(sign), &text[sign.len()..]));
    }
    let end = text
        .find(|c: char| c.is_whitespace() || "(),=<>!*'".contains(c))
        .unwrap_or(text.len());
    let (word, left) = text.split_at(end);
    if word.is_empty() {
        let sign: String = text.chars().take(1).collect();
        return Err(Refused::Invalid(format!("unexpected {sign}")));
    }
    if let Ok(number) = word.parse::<f64>()
        && word.starts_with(|c: char| c.is_ascii_digit() || c == '-')
    {
        return Ok((Word::Number(number), left));
    }
    let plain = |c: char| c.is_alphanumeric() || "._-:/".contains(c);
    if !word.chars().all(plain) {
        return Err(Refused::Invalid(format!("{word} is no property")));
    }
    Ok((Word::Name(word.to_owned()), left))
}

fn quoted_text(text: &str) -> Result<(Word, &str), Refused> {
    let mut found = String::new();
    let mut rest = text;
    loop {
        let Some(end) = rest.find('\'') else {
            return Err(Refused::Invalid(
                "a text has no closing quotation mark".to_owned(),
            ));
        };
        found.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('\'') {
            Some(more) => {
                found.push('\'');
                rest = more;
            }
            None => return Ok((Word::Text(found), rest)),
        }
    }
}
