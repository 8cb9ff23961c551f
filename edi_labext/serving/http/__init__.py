"""The engine's HTTP side: one door for every request, and the application behind it."""
