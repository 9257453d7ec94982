//! `derivePassword`: passwords out of a master password, by the algorithm of Master Password (Spectre).

use ring::hmac;
use scrypt::{Params, scrypt};

use crate::functions::FunctionError;
use crate::functions::arguments::Arguments;
use crate::value::Value;

/// What the texts that are hashed begin with.
const SCOPE: &[u8] = b"com.lyndir.masterpassword";

/// The forms of a type of password; each letter is a class of characters.
fn forms(kind: &[u8]) -> Option<&'static [&'static str]> {
    Some(match kind {
        b"maximum" => &["anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"],
        b"long" => &[
            "CvcvnoCvcvCvcv",
            "CvcvCvcvnoCvcv",
            "CvcvCvcvCvcvno",
            "CvccnoCvcvCvcv",
            "CvccCvcvnoCvcv",
            "CvccCvcvCvcvno",
            "CvcvnoCvccCvcv",
            "CvcvCvccnoCvcv",
            "CvcvCvccCvcvno",
            "CvcvnoCvcvCvcc",
            "CvcvCvcvnoCvcc",
            "CvcvCvcvCvccno",
            "CvccnoCvccCvcv",
            "CvccCvccnoCvcv",
            "CvccCvccCvcvno",
            "CvcvnoCvccCvcc",
            "CvcvCvccnoCvcc",
            "CvcvCvccCvccno",
            "CvccnoCvcvCvcc",
            "CvccCvcvnoCvcc",
            "CvccCvcvCvccno",
        ],
        b"medium" => &["CvcnoCvc", "CvcCvcno"],
        b"short" => &["Cvcn"],
        b"basic" => &["aaanaaan", "aannaaan", "aaannaaa"],
        b"pin" => &["nnnn"],
        _ => return None,
    })
}

fn class(letter: u8) -> &'static [u8] {
    match letter {
        b'C' => b"BCDFGHJKLMNPQRSTVWXYZ",
        b'v' => b"aeiou",
        b'c' => b"bcdfghjklmnpqrstvwxyz",
        b'a' => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
        b'n' => b"0123456789",
        b'o' => b"@&%?,=[]_:-+*$#!'^~;()/.",
        _ => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
    }
}

/// A text with its length in front.
fn counted(text: &[u8]) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), text].concat()
}

/// `derivePassword COUNTER TYPE PASSWORD USER SITE`.
pub(super) fn derive(arguments: &[Value]) -> Result<Value, FunctionError> {
    let counter = u32::try_from(arguments.int(0)?).unwrap_or_default();
    let kind = arguments.text(1)?;
    let Some(forms) = forms(kind) else {
        return Ok(Value::text(
            [b"cannot find password template ", &**kind].concat(),
        ));
    };
    let failed = || FunctionError::new("failed to derive password");
    let params = Params::new(15, 8, 2).map_err(|_| failed())?;
    let salt = [SCOPE, &counted(arguments.text(3)?)].concat();
    let mut key = [0; 64];
    scrypt(arguments.text(2)?, &salt, &params, &mut key).map_err(|_| failed())?;
    let message = [SCOPE, &counted(arguments.text(4)?), &counter.to_be_bytes()].concat();
    let seed = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), &message);
    let seed = seed.as_ref();
    let form = forms[usize::from(seed[0]) % forms.len()];
    let characters = form.bytes().zip(&seed[1..]).map(|(letter, seed)| {
        let class = class(letter);
        class[usize::from(*seed) % class.len()]
    });
    Ok(Value::text(characters.collect::<Vec<u8>>()))
}
