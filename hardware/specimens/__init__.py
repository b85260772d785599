"""Fictional travellers: people who do not exist, with documents of Utopia under the project's own test CSCA."""
