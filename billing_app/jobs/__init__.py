"""What happens by itself: the schedule, and the runner that keeps one failing job from stopping the others."""
