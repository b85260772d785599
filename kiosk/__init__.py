"""The kiosk: one journey over real devices, its screens, and its outbox to central."""
