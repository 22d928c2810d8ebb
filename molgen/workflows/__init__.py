"""What each verb does from start to end, on the pieces below; :mod:`molgen.api` exposes them."""
