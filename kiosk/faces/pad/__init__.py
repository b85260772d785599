"""Whether a living face is before the camera: the challenge, what the frames show, and if the camera is ours."""
