"""The engine's REST routes: one table, and handlers by resource."""
