"""Speech for the traveller's earphones and loudspeaker."""
