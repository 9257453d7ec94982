//! The engine's certificate authority and server certificate.
