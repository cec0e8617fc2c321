//! The outside faces over HTTP: API, provider callbacks, dashboard, opt-out, health and metrics.
