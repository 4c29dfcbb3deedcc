"""A local Amazon: Seller Central's consent, Login with Amazon and the Selling Partner API, over HTTP.

It knows nothing of the bot. Whoever speaks to the real Amazon can speak to this one by changing three URLs.
"""
