"""Who may read and change which data (RFC 8341): pure."""
