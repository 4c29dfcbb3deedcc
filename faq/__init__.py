"""Knowledge: what sellers ask, in their words, and what is true for their stores.

It must not know Slack, SQL or HTTP: it reads article files and facts, and returns values.
"""
