"""The pure domain: values and rules, on the standard library alone."""
