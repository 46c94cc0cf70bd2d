"""The pages of operators: none of them belongs to one organization."""
