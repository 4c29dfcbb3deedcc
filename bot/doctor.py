"""Tries every credential, address and scope."""
