"""Notifications: streams, their log, subscriptions (RFC 5277, 6470, 8639, 8641)."""
