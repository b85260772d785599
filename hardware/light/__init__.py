"""Channel lights above the kiosk."""
