"""Memory: tables, journal, outbox; one transaction per operation."""
