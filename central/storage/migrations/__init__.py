"""Schema revisions, oldest first. Applied by `Storage.migrate`, never by hand."""
