"""The forms of the law: a declaration as the paper asks for it, filled, amended, serialised."""
