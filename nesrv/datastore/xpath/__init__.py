"""XPath 1.0 with YANG's functions (RFC 7950, section 10) on trees of nodes; pure, and bounded."""
