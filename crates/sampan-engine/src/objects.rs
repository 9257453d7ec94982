//! Access to the objects of the API, for the controllers and for the HTTP server.
