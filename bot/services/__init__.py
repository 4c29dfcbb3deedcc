"""The stories: each a class whose parameters are its needs."""
