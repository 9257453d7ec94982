//! The text that both sides of SPDY/3 know before the first header block (section 2.6.10.1).

use std::sync::LazyLock;

/// Names and values, each of which stands in the dictionary after its length.
const WORDS: &str = "options\nhead\npost\nput\ndelete\ntrace\naccept\naccept-charset\n\
    accept-encoding\naccept-language\naccept-ranges\nage\nallow\nauthorization\ncache-control\n\
    connection\ncontent-base\ncontent-encoding\ncontent-language\ncontent-length\n\
    content-location\ncontent-md5\ncontent-range\ncontent-type\ndate\netag\nexpect\nexpires\nfrom\n\
    host\nif-match\nif-modified-since\nif-none-match\nif-range\nif-unmodified-since\n\
    last-modified\nlocation\nmax-forwards\npragma\nproxy-authenticate\nproxy-authorization\nrange\n\
    referer\nretry-after\nserver\nte\ntrailer\ntransfer-encoding\nupgrade\nuser-agent\nvary\nvia\n\
    warning\nwww-authenticate\nmethod\nget\nstatus\n200 OK\nversion\nHTTP/1.1\nurl\npublic\n\
    set-cookie\nkeep-alive\norigin";

/// What follows the words.
const TAIL: &str = "1001012012022052063003023033043053063074024054064074084094104114124134144154\
    16417502504505203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad \
    Request401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not \
    Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 \
    Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,\
    application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,\
    deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";

/// The dictionary.
pub(super) static DICTIONARY: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut text = Vec::new();
    for word in WORDS.lines() {
        text.extend_from_slice(&u32::try_from(word.len()).unwrap_or_default().to_be_bytes());
        text.extend_from_slice(word.as_bytes());
    }
    text.extend_from_slice(TAIL.as_bytes());
    text
});

#[cfg(test)]
mod tests {
    use super::DICTIONARY;

    #[test]
    fn the_dictionary_has_the_length_and_the_checksum_of_the_specification() {
        assert_eq!(DICTIONARY.len(), 1423);
        let (low, high) = DICTIONARY.iter().fold((1_u32, 0_u32), |(low, high), byte| {
            let low = (low + u32::from(*byte)) % 65521;
            (low, (high + low) % 65521)
        });
        assert_eq!(high << 16 | low, 0xe3c6_a7c2);
    }
}
