"""Pure knowledge of travel documents (ICAO Doc 9303): bytes in, values and verdicts out. No I/O."""
