"""Metrics of generated molecules: functions of lists and arrays; no models of ours, nothing is fetched here."""
