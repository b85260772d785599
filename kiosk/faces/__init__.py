"""Faces at the kiosk: found, judged, compared, and told from pictures of faces."""
