"""The chip reader: pyscard over the PC/SC daemon, and a worker process that no mute card can hold up."""
