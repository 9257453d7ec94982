//! Listening for HTTP: connections with limits and deadlines, TLS by the site's own authority, and the drain at the end.
//!
//! It knows connections and certificates, not what is asked over them: a service takes the requests.
