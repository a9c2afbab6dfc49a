//! What an authenticator is told by hand where no camera reads the square code: account and key, out of the address that a
//! server gave. It refuses to know the digits.

/// How many letters of the key stand together.
const GROUP: usize = 4;

/// What a person types.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ByHand {
    pub(crate) account: String,
    /// The organisation.
    pub(crate) issuer: String,
    /// Base32 (RFC 4648) in groups, which every authenticator takes.
    pub(crate) key: String,
}

/// `None` for what is no `otpauth:` address with a key in it.
pub(crate) fn by_hand(uri: &str) -> Option<ByHand> {
    let (label, parameters) = uri.strip_prefix("otpauth://totp/")?.split_once('?')?;
    let (issuer, account) = label.split_once(':').unwrap_or(("", label));
    let secret = parameters.split('&').find_map(|parameter| parameter.strip_prefix("secret="))?;
    let letters: Vec<char> = secret.chars().collect();
    let groups: Vec<String> = letters.chunks(GROUP).map(|group| group.iter().collect()).collect();
    Some(ByHand { account: decoded(account)?, issuer: decoded(issuer)?, key: groups.join(" ") })
}

/// RFC 3986, section 2.1.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit =
                |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            bytes.push(digit(rest.next()?)? << 4 | digit(rest.next()?)?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_as_account_organisation_and_a_key_in_groups() {
        let uri = "otpauth://totp/%E4%BE%8B%20KK:hanako?secret=ABCDEFGHIJKLMNOP22&issuer=x";
        let told = by_hand(uri).unwrap();
        assert_eq!((told.account.as_str(), told.issuer.as_str()), ("hanako", "例 KK"));
        assert_eq!(told.key, "ABCD EFGH IJKL MNOP 22");
        for nothing in
            ["", "otpauth://totp/x", "otpauth://totp/x?issuer=y", "otpauth://totp/%4?secret=A"]
        {
            assert_eq!(by_hand(nothing), None, "{nothing}");
        }
    }
}
