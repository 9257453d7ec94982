//! Exec, attach, logs and port forwarding over WebSocket and SPDY.
