"""The demonstration: starts every process on loopback and plays fictional travellers.

It imports neither kiosk nor central; it talks to them as a traveller and an officer would.
"""
