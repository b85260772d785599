"""Bag-tag scanners: a licence plate of ten digits (IATA RP 740), or nothing."""
