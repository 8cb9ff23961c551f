"""The kernel host: runs a kernel file and speaks frames with the engine."""
