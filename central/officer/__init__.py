"""The officers' console: the queue, the case, the exit. It shows and it asks; people decide."""
