"""What docs/performance.md reports: each piece of work beside a limit that is measured in the same run."""
