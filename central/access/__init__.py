"""Who may do what: people, roles × agency × site, permissions, sessions, and the guard that denies by default."""
