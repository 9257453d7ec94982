//! New private keys.

use crypto_bigint::BoxedUint;
use crypto_primes::hazmat::{SetBits, SmallFactorsSieveFactory};
use crypto_primes::{Flavor, is_prime, sieve_and_find};
use num_bigint::BigUint;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};

use super::der::{INTEGER, OCTET_STRING, Reader, sequence, unsigned};
use super::keys::{Curve, Key, sec1};
use crate::functions::FunctionError;
use crate::functions::random::fill;

fn failed() -> FunctionError {
    FunctionError::new("failed to generate private key")
}

/// A prime number with both upper bits set, so that products of two have all their bits.
fn prime(bits: u32) -> Result<BigUint, FunctionError> {
    let factory = SmallFactorsSieveFactory::<BoxedUint>::new(Flavor::Any, bits, SetBits::TwoMsb);
    let test = |_: &mut _, candidate: &BoxedUint| is_prime(Flavor::Any, candidate);
    let found = sieve_and_find(&mut rand::rng(), factory.map_err(|_| failed())?, test);
    let found = found.map_err(|_| failed())?.ok_or_else(failed)?;
    Ok(BigUint::from_bytes_be(&found.to_be_bytes()))
}

fn encoded(numbers: &[&BigUint]) -> Vec<u8> {
    let numbers: Vec<Vec<u8>> = numbers
        .iter()
        .map(|number| unsigned(&number.to_bytes_be()))
        .collect();
    sequence(&numbers.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// An RSA key (RFC 8017, 3.2) with the usual exponent.
pub(super) fn rsa(bits: u32) -> Result<Key, FunctionError> {
    let (zero, one, exponent) = (
        BigUint::ZERO,
        BigUint::from(1_u8),
        BigUint::from(65_537_u32),
    );
    loop {
        let (p, q) = (prime(bits / 2)?, prime(bits / 2)?);
        // Larger first, which the coefficient is meant for.
        let (p, q) = if p < q { (q, p) } else { (p, q) };
        let (p1, q1) = (&p - &one, &q - &one);
        let Some(d) = exponent.modinv(&(&p1 * &q1)) else {
            continue;
        };
        let (dp, dq) = (&d % &p1, &d % &q1);
        let Some(coefficient) = q.modinv(&p) else {
            continue;
        };
        let modulus = &p * &q;
        let numbers = [
            &zero,
            &modulus,
            &exponent,
            &d,
            &p,
            &q,
            &dp,
            &dq,
            &coefficient,
        ];
        return Ok(Key::Rsa(encoded(&numbers)));
    }
}

/// A DSA key with parameters of its own, of 2048 and 256 bits (FIPS 186-4).
pub(super) fn dsa() -> Result<Key, FunctionError> {
    const BITS: u64 = 2_048;
    let (zero, one) = (BigUint::ZERO, BigUint::from(1_u8));
    let q = prime(256)?;
    let p = loop {
        let mut bytes = [0; 256];
        fill(&mut bytes)?;
        bytes[0] |= 0x80;
        let candidate = BigUint::from_bytes_be(&bytes);
        let candidate = &candidate - &candidate % (&q * 2_u8) + &one;
        if candidate.bits() == BITS && is_probable_prime(&candidate)? {
            break candidate;
        }
    };
    let cofactor = (&p - &one) / &q;
    let bases = (2_u32..).map(|base| BigUint::from(base).modpow(&cofactor, &p));
    let generator = bases
        .into_iter()
        .find(|power| *power > one)
        .ok_or_else(failed)?;
    let private = loop {
        let mut bytes = [0; 32];
        fill(&mut bytes)?;
        let number = BigUint::from_bytes_be(&bytes);
        if number > zero && number < q {
            break number;
        }
    };
    let public = generator.modpow(&private, &p);
    Ok(Key::Dsa(encoded(&[
        &zero, &p, &q, &generator, &public, &private,
    ])))
}

fn is_probable_prime(candidate: &BigUint) -> Result<bool, FunctionError> {
    // Most candidates have a small factor, which is found fast.
    const SMALL: [u32; 12] = [3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41];
    if SMALL
        .iter()
        .any(|factor| candidate % factor == BigUint::ZERO)
    {
        return Ok(false);
    }
    let bits = u32::try_from(candidate.bits()).map_err(|_| failed())?;
    let number = BoxedUint::from_be_slice(&candidate.to_bytes_be(), bits).map_err(|_| failed())?;
    Ok(is_prime(Flavor::Any, &number))
}

pub(super) fn ecdsa() -> Result<Key, FunctionError> {
    let document =
        EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new());
    let document = document.map_err(|_| failed())?;
    let key = |der| {
        let mut parts = Reader::new(der).sequence()?;
        parts.expect(INTEGER)?;
        parts.sequence()?;
        sec1(parts.expect(OCTET_STRING)?.content, Some(Curve::P256))
    };
    key(document.as_ref()).ok_or_else(failed)
}

pub(super) fn ed25519() -> Result<Key, FunctionError> {
    let mut seed = [0; 32];
    fill(&mut seed)?;
    Ok(Key::Ed25519 { seed })
}
