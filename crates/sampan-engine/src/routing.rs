//! Publishes services and their ready endpoints for the gateway.
