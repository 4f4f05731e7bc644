"""Bilevel training of UniFusion networks. No Qt: a run is a generator of events."""
